"""The catalogue in one SQLite file. The only package that knows SQLite."""
