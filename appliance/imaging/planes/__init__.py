"""JPEG to smaller JPEGs without leaving Y, Cb and Cr, in C. An accelerator: where it can't be used, libvips does it."""
