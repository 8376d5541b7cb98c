"""What every layer knows: images, formats, errors. It imports no other package."""
