"""JPEG to smaller JPEGs and WebPs in Y, Cb and Cr, in C. An accelerator: where it can't be used, libvips makes them."""
