"""The catalogue: every image's metadata in one SQLite file. The only package that knows SQLite."""

from appliance.catalogue.catalogue import Catalogue, backup_file, check_file, open_catalogue, remembered_s
from appliance.catalogue.changes import UNCHANGED, Unchanged
from appliance.catalogue.connections import require_sqlite
from appliance.catalogue.queries import Backlog
from appliance.catalogue.rebuild import rebuild
from appliance.catalogue.recent import MISS, Miss

__all__ = [
    "MISS",
    "UNCHANGED",
    "Backlog",
    "Catalogue",
    "Miss",
    "Unchanged",
    "backup_file",
    "check_file",
    "open_catalogue",
    "rebuild",
    "remembered_s",
    "require_sqlite",
]
