"""Capacity: what a load needs of a machine and what it costs, worked out from figures named with their source."""
