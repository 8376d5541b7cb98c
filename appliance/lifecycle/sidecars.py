"""Sidecars on this disk: the whole description of an image, kept from a change until the store has it too.

The catalogue is the truth; these are for the day when it is lost before the store knew of a change. One file an image,
`{slug}.json`, the same bytes as the store's sidecar. `record_reader` reads them.
"""

import contextlib
import json
from pathlib import Path

from appliance.domain.model import Image
from appliance.objectstore.records import sidecar_of
from appliance.shared import files
from appliance.shared.threads import Threads


class Sidecars:
    """Owns the folder of sidecars. The newest version of an image wins, in whatever order they are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = Threads("sidecars", 1)  # one at a time, so that versions can be compared
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(".*"):  # what a crash left
            unfinished.unlink(missing_ok=True)

    async def close(self) -> None:
        await self._thread.close()

    async def keep(self, image: Image) -> None:
        """Keep the image as it is now. A disk that refuses is no fault, because the row has everything."""
        await self._thread.run(self._keep, image)

    def _keep(self, image: Image) -> None:
        path = sidecar_path(self._folder, image.slug)
        unfinished = path.with_name(f".{path.name}")
        with contextlib.suppress(OSError):
            if _version(path) >= image.version:
                return
            files.write_whole(path, sidecar_of(image), unfinished=unfinished)

    async def drop(self, slug: str, version: int | None = None) -> None:
        """Remove the sidecar: the store has this version, or (None) the image is erased."""
        await self._thread.run(self._drop, slug, version)

    def _drop(self, slug: str, version: int | None) -> None:
        path = sidecar_path(self._folder, slug)
        if version is None or _version(path) <= version:
            path.unlink(missing_ok=True)


def sidecar_path(folder: Path, slug: str) -> Path:
    return folder / f"{slug}.json"


def _version(path: Path) -> int:
    """The version that a file holds; 0 for one that is missing or can't be read."""
    try:
        return int(json.loads(path.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
