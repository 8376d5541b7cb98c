"""What was begun and is not complete: the transfers of giants, each in a file of its own, so that a restart goes on.

A note is durable before the first part is sent, and goes when the object is complete or is not wanted any more.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from appliance.objectstore import files
from appliance.shared.threads import Stop


@dataclass(frozen=True, slots=True)
class Note:
    """One transfer: of which file, as which object, and the `upload` id that the store knows it by."""

    key: str
    bytes: int
    modified_ns: int
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: str = ""

    @classmethod
    def of(cls, key: str, descriptor: int, headers: Mapping[str, str]) -> "Note":
        """Of an open file that is not on its way yet."""
        status = os.fstat(descriptor)
        return cls(key, status.st_size, status.st_mtime_ns, dict(headers))

    def is_for(self, other: "Note") -> bool:
        """Whether both are of the same file, to become the same object."""
        return (self.key, self.bytes, self.modified_ns, self.headers) == (
            other.key,
            other.bytes,
            other.modified_ns,
            other.headers,
        )


class Journal:
    """Owns `folder`, which is made when it is first needed. Blocking; used from several threads, one a key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> Note | None:
        """The note of what was begun; None where nothing was, or where its note is damaged."""
        try:
            return Note(**json.loads(self._path(key).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, note: Note) -> None:
        """Durable on return."""
        files.make_folder(self._folder)
        with files.appearing(self._path(note.key), self._folder) as temporary:
            files.write(json.dumps(asdict(note)).encode(), temporary, Stop())

    def forget(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._path(key).unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
