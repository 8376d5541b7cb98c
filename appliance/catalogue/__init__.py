"""The catalogue: the rows of images, uploads and albums. Its ports are here; `opening` opens one."""

from appliance.catalogue.day_budget_catalogue import DayBudgetCatalogue
from appliance.catalogue.ports import (
    AlbumCatalogue,
    Catalogue,
    IdempotencyCatalogue,
    ImageCatalogue,
    Notes,
    UploadCatalogue,
)
from appliance.catalogue.purge_outbox import PurgeOutbox
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
    "Catalogue",
    "DayBudgetCatalogue",
    "IdempotencyCatalogue",
    "ImageCatalogue",
    "Notes",
    "PendingPurges",
    "Purge",
    "PurgeOutbox",
    "RowCounts",
    "SlugSpan",
    "Unchanged",
    "UploadCatalogue",
]
