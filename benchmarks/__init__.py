"""Programs that answer one question each with a table; `make bench` runs the short ones."""
