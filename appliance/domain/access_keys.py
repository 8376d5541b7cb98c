"""Access keys: who has one may do what its scopes say, within its limits. The host keeps only a hash of its secret.

A key is `imgk_`, its id, its secret and a checksum, all letters and digits. So secret scanners recognise it, a double
click selects it whole, and a typo is found without looking anything up.
"""

import hmac
import re
import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.clock import DAY_S
from appliance.domain.slugs import ALPHABET

PREFIX = "imgk_"
ID_CHARS = 10
SECRET_CHARS = 28  # 166 bits
CHECKSUM_CHARS = 6  # a CRC-32
MAX_NAME_CHARS = 100
_BEGINNING = re.compile(rf"(?<![0-9A-Za-z_-]){PREFIX}", re.ASCII | re.IGNORECASE)  # not in the middle of another secret
_AROUND = " \t\r\n\"'“”<>"
"""What people and programs leave behind a key that they copied."""
_TEXT = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{ID_CHARS}}})[0-9A-Za-z]{{{SECRET_CHARS + CHECKSUM_CHARS}}}", re.ASCII)


class Scope(StrEnum):
    """What a key is good for."""

    UPLOAD = "upload"
    MANAGE = "manage"
    """Changing and deleting what was uploaded with the key, without delete tokens."""
    OPERATE = "operate"
    """Reading the status of the host."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """How much one key may upload; None is no limit. Sizes are bytes, days are those of UTC.

    `max_images` and `max_bytes` are what it may have on the host at once, until they are erased.
    """

    max_file_bytes: int | None = None
    max_expiry_s: int | None = None
    max_images: int | None = None
    max_bytes: int | None = None
    max_images_a_day: int | None = None
    max_bytes_a_day: int | None = None
    max_uploads_a_minute: int | None = None


NO_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key. Times are unix seconds; `expires_s` None means never. `version` counts changes.

    `former_hash` is that of the secret before the last one.
    """

    id: str
    name: str
    secret_hash: str
    scopes: tuple[Scope, ...]
    created_s: int
    expires_s: int | None = None
    revoked_s: int | None = None
    limits: KeyLimits = NO_LIMITS
    version: int = 1
    former_hash: str | None = None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What was uploaded with a key: what of it is on the host, and what came on `day` (days since 1970, UTC)."""

    images: int = 0
    bytes: int = 0
    day: int = 0
    day_images: int = 0
    day_bytes: int = 0

    def on(self, day: int) -> "KeyUsage":
        """The same on another day, which starts with nothing."""
        return self if day == self.day else replace(self, day=day, day_images=0, day_bytes=0)

    def with_image(self, size_bytes: int) -> "KeyUsage":
        """One image more."""
        return replace(
            self,
            images=self.images + 1,
            bytes=self.bytes + size_bytes,
            day_images=self.day_images + 1,
            day_bytes=self.day_bytes + size_bytes,
        )


def day_of(unix_s: float) -> int:
    """The day, in days since 1970 (UTC)."""
    return int(unix_s // DAY_S)


def generate_key(choose: Callable[[str], str] = secrets.choice) -> tuple[str, str]:
    """A new key's id, and the key itself."""
    key_id = _random(ID_CHARS, choose)
    return key_id, generate_key_for(key_id, choose)


def generate_key_for(key_id: str, choose: Callable[[str], str] = secrets.choice) -> str:
    """A new key with that id."""
    body = f"{PREFIX}{key_id}{_random(SECRET_CHARS, choose)}"
    return body + _checksum(body)


def is_key(text: str) -> bool:
    """Whether the text means to be a key, be it right or wrong."""
    return text.startswith(PREFIX)


def key_in(text: str) -> str | None:
    """What in the text means to be a key, right or wrong: programs write a scheme before it, or quotes around it."""
    found = _BEGINNING.search(text)
    return None if found is None else text[found.start() :].strip(_AROUND)


def id_of(text: str) -> str | None:
    """The id in a key that is complete and has no typo; None for any other text."""
    match = _TEXT.fullmatch(text)
    if match is None or not hmac.compare_digest(_checksum(text[:-CHECKSUM_CHARS]), text[-CHECKSUM_CHARS:]):
        return None
    return match[1]


def record_of(key: AccessKey) -> AccessRecord:
    """What the store has to know of the key: everything."""
    known = asdict(key)
    del known["id"], known["version"]
    known["scopes"] = [scope.value for scope in key.scopes]
    return AccessRecord(RecordKind.KEY, key.id, key.version, known)


def key_of(record: AccessRecord) -> AccessKey:
    """The key that the record describes. Raises KeyError, TypeError or ValueError if it describes none."""
    known = dict(record.fields or {})
    return AccessKey(
        id=record.id,
        name=str(known["name"]),
        secret_hash=str(known["secret_hash"]),
        scopes=tuple(Scope(scope) for scope in known["scopes"]),
        created_s=int(known["created_s"]),
        expires_s=_optional(known.get("expires_s")),
        revoked_s=_optional(known.get("revoked_s")),
        limits=limits_of(known.get("limits", {})),
        version=record.version,
        former_hash=None if known.get("former_hash") is None else str(known["former_hash"]),
    )


def limits_of(known: Mapping[str, Any]) -> KeyLimits:
    """The limits in a record or row; names that this release doesn't know are ignored."""
    return KeyLimits(**{field.name: _optional(known.get(field.name)) for field in fields(KeyLimits)})


def _optional(number: object) -> int | None:
    if number is None or (isinstance(number, int) and not isinstance(number, bool)):
        return number
    raise ValueError(f"{number!r} is no whole number")


def _random(length: int, choose: Callable[[str], str]) -> str:
    return "".join(choose(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
