"""Pixels: what a file is, what decoding it costs, and how its renditions are made. For worker processes only."""
