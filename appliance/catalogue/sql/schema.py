"""The schema, as a list of migrations. A released one is never edited; a change is a new function in the last file.

The statements are SQLite's; `postgres.dialect` gives their types and tables the names that they have there.

`images` has a rowid besides its slug: at a year's 180 million rows a look-up costs 2-3 cold pages, where the deep tree
of a WITHOUT ROWID table with rows of 200 bytes costs 3-4, with the same size. Slugs sort by time, so inserts append.
The indexes of jobs are partial: they have only the rows that wait for the job.

Owners and quotas would be tables of their own, keyed by slug and account: rewriting `images` would stop a big host for
an hour. Add columns with a constant default, which takes no touching of rows.

A migration only adds, so that the previous release still works after an upgrade that failed. One that removes
something, or changes its meaning, has a name that ends in `!`: releases that do not know it refuse the catalogue.
"""

from appliance.catalogue.sql import (  # noqa: F401 - each adds its migrations
    base_schema,
    node_schema,
    sealed_address_schema,
    unshipped_schema,
)
from appliance.catalogue.sql.migration import MIGRATIONS

__all__ = ["MIGRATIONS"]
