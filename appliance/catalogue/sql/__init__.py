"""What the catalogue's databases share: their statements, and what is asked of and done to rows through them.

Everything here works on a `Connection` and knows no driver. A statement is written as SQLite reads it;
`postgres.dialect` rewrites the few words in which the databases differ.
"""
