"""What the commands on the terminal do, one file each; how they read their arguments stands in `cli`."""
