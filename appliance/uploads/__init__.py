"""Uploads: admission, and the one path on which every upload becomes an image."""
