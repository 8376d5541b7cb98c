"""Capacity planning: the machine that a load needs, and its cost, from figures with their sources."""
