"""The manifest of a backup: what belongs to it, by size and sha256. Written last, so that a half backup has none."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME
from appliance.domain.errors import CommandFailed

MANIFEST = "manifest.json"
CATALOGUE = FILE_NAME
SPOOL = "spool.tar"
ENCRYPTED = ".age"
MAX_MANIFEST_BYTES = 1_000_000
_BACKUP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_FIRST_YEAR = 2026
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupPart:
    """One file of a backup, as it lies in its place: encrypted, where the name ends so."""

    name: str
    bytes: int
    sha256: str

    @property
    def encrypted(self) -> bool:
        return self.name.endswith(ENCRYPTED)

    @property
    def plain_name(self) -> str:
        return self.name.removesuffix(ENCRYPTED)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is made of. `images`, `tombstones` and `albums` count the catalogue's rows."""

    backup: str
    release: str
    images: int
    tombstones: int
    albums: int
    parts: tuple[BackupPart, ...]

    @property
    def created_s(self) -> int:
        return int(made_at(self.backup).timestamp())

    @property
    def rows(self) -> int:
        return self.images + self.tombstones

    @property
    def size_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def written(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def name_of(now_s: float) -> str:
    """A backup's name: the second it was begun, so that names sort by time."""
    return f"{datetime.fromtimestamp(int(now_s), UTC):%Y%m%dT%H%M%SZ}"


def is_name(text: str) -> bool:
    """Whether it names a moment at which there can have been a backup; anything else in a place is no backup."""
    if _BACKUP.fullmatch(text) is None:
        return False
    try:
        return made_at(text).year >= _FIRST_YEAR
    except ValueError:
        return False


def made_at(backup: str) -> datetime:
    return datetime.strptime(backup, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read(path: Path) -> Manifest:
    """Raises CommandFailed for what is no manifest of ours."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_MANIFEST_BYTES))
        parts = tuple(BackupPart(**part) for part in document.pop("parts"))
        manifest = Manifest(**document, parts=parts)
        _require_types(manifest)
        named = {part.plain_name for part in parts}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CommandFailed(f"{path} is not a backup manifest.") from error
    if (
        not is_name(manifest.backup)
        or CATALOGUE not in named
        or not named <= {CATALOGUE, SPOOL}
        or len(named) < len(parts)
    ):
        raise CommandFailed(f"{path} is not a backup manifest that this release supports.")
    return manifest


def _require_types(manifest: Manifest) -> None:
    """Raises TypeError: JSON gives whatever its writer put there."""
    texts = (manifest.backup, manifest.release, *(text for part in manifest.parts for text in (part.name, part.sha256)))
    counts = (manifest.images, manifest.tombstones, manifest.albums, *(part.bytes for part in manifest.parts))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    if not all(type(count) is int and count >= 0 for count in counts):
        raise TypeError("a count is none")


def part_of(path: Path) -> BackupPart:
    """The file as a part, read whole once."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return BackupPart(path.name, size, digest.hexdigest())


def require_same(path: Path, part: BackupPart) -> None:
    """Raises CommandFailed unless the file is what the manifest says."""
    if part_of(path) != BackupPart(path.name, part.bytes, part.sha256):
        raise CommandFailed(
            f"{part.name} doesn't match the manifest. It was damaged in storage or in transit. Use another backup."
        )
