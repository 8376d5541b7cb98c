"""The key of the day: names that are made with it can't be led back to addresses once it is destroyed.

It lies in a file of its own, since the catalogue is in backups. A new key overwrites the old one where it is.
"""

import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

KEY_BYTES, NAME_BYTES = 32, 16
MAX_FILE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DayKey:
    """A random key. `day` counts the days (UTC) since 1970."""

    day: int
    key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES), repr=False)

    def name_of(self, scope: str, client: str) -> bytes:
        """16 bytes that stand for the client on this day."""
        return hmac.digest(self.key, f"{scope} {client}".encode(), "sha256")[:NAME_BYTES]


def read_key(path: Path) -> DayKey | None:
    """The key that was kept; None where there is none, or it is unreadable."""
    try:
        with path.open("rb") as file:
            kept = json.loads(file.read(MAX_FILE_BYTES))
        return DayKey(int(kept["day"]), bytes.fromhex(kept["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_key(path: Path, key: DayKey) -> None:
    """Keep the key over a restart, in place of an older one. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.write(json.dumps({"day": key.day, "key": key.key.hex()}).encode())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
