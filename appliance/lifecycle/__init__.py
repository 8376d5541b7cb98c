"""Lifecycle: what happens to an image after it was accepted, driven by rows: ship, prewarm, expire, erase, sweep."""
