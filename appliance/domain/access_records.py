"""Access records: what the store has to know besides images and albums, so that a rebuild brings it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RecordKind(StrEnum):
    """What a record is about. The values are folders in the store."""

    KEY = "keys"
    INVITE = "invites"
    BAN = "bans"
    LOCK = "locks"
    """Of an image that was closed after its upload."""


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One thing as it is at one version; the greatest version wins. `fields` are JSON values, None once it is gone."""

    kind: RecordKind
    id: str
    version: int
    fields: Mapping[str, Any] | None
