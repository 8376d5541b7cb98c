"""The sections of the configuration, a file each: frozen values with their defaults, limits and help."""
