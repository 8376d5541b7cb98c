"""Backups of what the store does not hold: the catalogue, and originals that have not been shipped yet."""
