"""The configuration: options with defaults and limits, read from file, environment and credentials; the last one wins.

An option is a field of a dataclass in `sections`, and nothing else has to be changed to add one.
"""
