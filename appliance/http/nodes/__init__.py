"""Requests between nodes: those that this node passes on, and those that other nodes send to it."""
