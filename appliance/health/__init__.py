"""Health: the state of each part, and whether the server is ready."""
