"""Uploads: admission, and one door through which every upload becomes an image."""
