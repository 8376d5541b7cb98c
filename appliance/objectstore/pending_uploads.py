"""Multipart uploads in progress, each in a local file of its own, so that a restart continues them.

A file is durable before the first part is sent. It goes when the object is complete or not wanted any more.
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
class PendingUpload:
    """One multipart upload: of which file, as which object, and the id (`upload`) that the store knows it by."""

    key: str
    bytes: int
    modified_ns: int
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: str = ""

    @classmethod
    def of(cls, key: str, descriptor: int, headers: Mapping[str, str]) -> "PendingUpload":
        """An upload of an open file that has no id yet."""
        status = os.fstat(descriptor)
        return cls(key, status.st_size, status.st_mtime_ns, dict(headers))

    def is_same_file(self, other: "PendingUpload") -> bool:
        """Whether both send the same file to become the same object."""
        return (self.key, self.bytes, self.modified_ns, self.headers) == (
            other.key,
            other.bytes,
            other.modified_ns,
            other.headers,
        )


class PendingUploads:
    """Owns `folder`, which is created when it is first needed. Blocking; used from several threads, one a key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> PendingUpload | None:
        """The key's upload; None where there is none, or its file is damaged."""
        try:
            return PendingUpload(**json.loads(self._path(key).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, upload: PendingUpload) -> None:
        """Remember the upload, durably on return."""
        files.make_folder(self._folder)
        with files.appearing(self._path(upload.key), self._folder) as temporary:
            files.write(json.dumps(asdict(upload)).encode(), temporary, Stop())

    def forget(self, key: str) -> None:
        """Forget the key's upload; an unknown one is fine."""
        with suppress(FileNotFoundError):
            self._path(key).unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
