"""Reinspection: stored images are brought up to today's rules, as if they were uploaded again."""
