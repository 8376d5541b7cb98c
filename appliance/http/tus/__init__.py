"""Resumable uploads over HTTP: tus 1.0.0."""
