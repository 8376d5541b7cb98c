"""Connections and the bytes on them: limits, deadlines, request heads, and upload bodies as they arrive."""
