"""Calls to other nodes: signing them, sending them, and reading originals from where they are."""
