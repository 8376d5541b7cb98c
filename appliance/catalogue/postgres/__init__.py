"""The catalogue in a PostgreSQL database. The only package that knows PostgreSQL."""
