"""The catalogue: the rows of images, uploads and albums. Its ports are here; `opening` opens one."""

from appliance.catalogue.album_catalogue import AlbumCatalogue
from appliance.catalogue.ban_catalogue import BanCatalogue
from appliance.catalogue.day_budget_catalogue import DayBudgetCatalogue
from appliance.catalogue.idempotency_catalogue import IdempotencyCatalogue
from appliance.catalogue.image_catalogue import ImageCatalogue
from appliance.catalogue.invite_catalogue import InviteCatalogue
from appliance.catalogue.key_catalogue import KeyCatalogue
from appliance.catalogue.node_catalogue import NodeCatalogue
from appliance.catalogue.notes import Notes
from appliance.catalogue.ports import Catalogue
from appliance.catalogue.purge_outbox import PurgeOutbox
from appliance.catalogue.record_outbox import RecordOutbox
from appliance.catalogue.upload_catalogue import UploadCatalogue
from appliance.catalogue.values import (
    COUNT_LIMIT,
    MAX_BATCH,
    UNCHANGED,
    Backlog,
    Erasure,
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
    "Erasure",
    "IdempotencyCatalogue",
    "ImageCatalogue",
    "InviteCatalogue",
    "KeyCatalogue",
    "NodeCatalogue",
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
