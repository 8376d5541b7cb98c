"""Health: how each part is, and whether the server is ready."""
