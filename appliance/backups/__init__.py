"""Backups of what the object store does not have: the catalogue, and originals that are not shipped yet."""
