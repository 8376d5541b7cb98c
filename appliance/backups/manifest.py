"""The manifest of a backup: its parts with size and sha256. Written last, so that an unfinished backup has none."""

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
    """One file of a backup as it is stored. It is encrypted if its name ends with `.age`."""

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
    """What a backup consists of. `images`, `tombstones` and `albums` count the catalogue's rows."""

    backup: str
    release: str
    images: int
    tombstones: int
    albums: int
    parts: tuple[BackupPart, ...]

    @property
    def created_s(self) -> int:
        return int(created_at(self.backup).timestamp())

    @property
    def rows(self) -> int:
        return self.images + self.tombstones

    @property
    def size_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def backup_name(now_s: float) -> str:
    """A backup's name: the second in which it was begun, so that names sort by time."""
    return f"{datetime.fromtimestamp(int(now_s), UTC):%Y%m%dT%H%M%SZ}"


def is_backup_name(text: str) -> bool:
    """Whether the text can be the name of a backup. Anything else in a place is left alone."""
    if _BACKUP.fullmatch(text) is None:
        return False
    try:
        return created_at(text).year >= _FIRST_YEAR
    except ValueError:
        return False


def created_at(backup: str) -> datetime:
    """When the backup of that name was begun."""
    return datetime.strptime(backup, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read_manifest(path: Path) -> Manifest:
    """The manifest in that file. Raises CommandFailed if it is none, or not one that this release supports."""
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
        not is_backup_name(manifest.backup)
        or CATALOGUE not in named
        or not named <= {CATALOGUE, SPOOL}
        or len(named) < len(parts)
    ):
        raise CommandFailed(f"{path} is not a backup manifest that this release supports.")
    return manifest


def _require_types(manifest: Manifest) -> None:
    """Raises TypeError for a value of another type: anybody may have written the JSON."""
    texts = (manifest.backup, manifest.release, *(text for part in manifest.parts for text in (part.name, part.sha256)))
    counts = (manifest.images, manifest.tombstones, manifest.albums, *(part.bytes for part in manifest.parts))
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("not a text")
    if not all(type(count) is int and count >= 0 for count in counts):
        raise TypeError("not a count")


def describe_part(path: Path) -> BackupPart:
    """The file as a part of a manifest. Reads the whole file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return BackupPart(path.name, size, digest.hexdigest())


def require_unchanged(path: Path, part: BackupPart) -> None:
    """Raises CommandFailed unless the file has the size and sha256 in the manifest."""
    if describe_part(path) != BackupPart(path.name, part.bytes, part.sha256):
        raise CommandFailed(
            f"{part.name} doesn't match the manifest. It was damaged in storage or in transit. Use another backup."
        )
