"""What the host is about, as every layer knows it: images, formats, errors. It knows no other package."""
