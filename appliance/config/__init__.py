"""The configuration: its values and defaults, and how they are read from file, environment and credentials.

The later source wins. What options there are, and all that is known of each, stands in `appliance.config.model` alone.
"""
