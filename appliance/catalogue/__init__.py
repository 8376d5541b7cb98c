"""The catalogue: the rows of images, uploads and albums. Its ports are here; `opening` opens one."""

from appliance.catalogue.ban_catalogue import BanCatalogue
from appliance.catalogue.day_budget_catalogue import DayBudgetCatalogue
from appliance.catalogue.invite_catalogue import InviteCatalogue
from appliance.catalogue.key_catalogue import KeyCatalogue
from appliance.catalogue.ports import (
    AlbumCatalogue,
    Catalogue,
    IdempotencyCatalogue,
    ImageCatalogue,
    Notes,
    UploadCatalogue,
)
from appliance.catalogue.purge_outbox import PurgeOutbox
from appliance.catalogue.record_outbox import RecordOutbox
from appliance.catalogue.values import (
    COUNT_LIMIT,
    MAX_BATCH,
    UNCHANGED,
    Backlog,
    PendingPurges,
    Purge,
    RowCounts,
    SlugSpan,
    Unchanged,
)

__all__ = [
    "COUNT_LIMIT",
    "MAX_BATCH",
    "UNCHANGED",
    "AlbumCatalogue",
    "Backlog",
    "BanCatalogue",
    "Catalogue",
    "DayBudgetCatalogue",
    "IdempotencyCatalogue",
    "ImageCatalogue",
    "InviteCatalogue",
    "KeyCatalogue",
    "Notes",
    "PendingPurges",
    "Purge",
    "PurgeOutbox",
    "RecordOutbox",
    "RowCounts",
    "SlugSpan",
    "Unchanged",
    "UploadCatalogue",
]
