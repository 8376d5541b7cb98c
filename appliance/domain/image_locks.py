"""Image locks as the store remembers them besides the sidecar: who may see an image that was locked after its upload.

The metadata of an original is written once, so it has no mark of a later lock. Without this record, an image whose
sidecar is lost would be open to everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.model import Image
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.domain.slugs import is_slug

UNREADABLE_VERSION = 0


@dataclass(frozen=True, slots=True)
class ImageLock:
    """What closed an image at one version of it. `UNREADABLE_VERSION` is one that nobody can read any more."""

    slug: str
    version: int
    lock: str | None
    one_view: bool


def record_of(image: Image) -> AccessRecord:
    """What the store has to know of who may see the image; nothing once it is open."""
    fields = {"lock": image.lock, "one_view": image.one_view} if image.is_closed else None
    return AccessRecord(RecordKind.LOCK, image.slug, image.version, fields)


def lock_of(record: AccessRecord) -> ImageLock:
    """The lock that the record describes. Raises KeyError, TypeError or ValueError if it describes none."""
    known: Mapping[str, Any] = record.fields or {}
    lock, one_view = known["lock"], known["one_view"]
    if not is_slug(record.id) or not isinstance(lock, str | None) or not isinstance(one_view, bool):
        raise ValueError(f"{record.id!r:.80} has no lock")
    if not lock and not one_view:
        raise ValueError(f"{record.id} is open")
    return ImageLock(record.id, record.version, lock, one_view)


def record_without_content(slug: str) -> AccessRecord:
    """What is left of a record that can't be read: a lock that no passphrase opens. Raises ValueError."""
    if not is_slug(slug):
        raise ValueError(f"{slug!r:.80} is no slug")
    fields = {"lock": UNREADABLE_LOCK, "one_view": False}
    return AccessRecord(RecordKind.LOCK, slug, UNREADABLE_VERSION, fields)
