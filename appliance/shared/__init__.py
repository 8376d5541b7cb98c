"""Primitives that several parts use: single flight, limits, a circuit breaker, durable files, threads."""
