"""The catalogue: every image's metadata in one SQLite file. The only package that knows SQLite."""

from appliance.catalogue.backup import put_in_place
from appliance.catalogue.catalogue import (
    Catalogue,
    backup_file,
    check_file,
    count_file,
    open_catalogue,
    purges_waiting,
    remembered_s,
    rows_of_file,
    sample_file,
)
from appliance.catalogue.changes import UNCHANGED, Unchanged
from appliance.catalogue.connections import require_sqlite
from appliance.catalogue.merge import Merging, Span
from appliance.catalogue.queries import Backlog, Counts
from appliance.catalogue.rebuild import rebuild
from appliance.catalogue.row_cache import MISS, Miss

__all__ = [
    "MISS",
    "UNCHANGED",
    "Backlog",
    "Catalogue",
    "Counts",
    "Merging",
    "Miss",
    "Span",
    "Unchanged",
    "backup_file",
    "check_file",
    "count_file",
    "open_catalogue",
    "purges_waiting",
    "put_in_place",
    "rebuild",
    "remembered_s",
    "require_sqlite",
    "rows_of_file",
    "sample_file",
]
