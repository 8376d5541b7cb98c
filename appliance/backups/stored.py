"""Backups in the object store itself, under `backups/`: no walk over originals comes by there."""

from pathlib import Path

from appliance.backups.manifest import MANIFEST, is_name
from appliance.errors import CommandFailed, ObjectMissing
from appliance.objectstore import ObjectStore

PREFIX = "backups/"


class StorePlace:
    """The object store that the originals are in."""

    name = "the store"
    write_only = False

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def files(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async for entry in self._store.list(PREFIX):
            backup, _, file = entry.key.removeprefix(PREFIX).partition("/")
            if is_name(backup) and file:
                found.setdefault(backup, set()).add(file)
        return found

    async def put(self, backup: str, path: Path) -> None:
        await self._store.put(_key(backup, path.name), path, media_type="application/octet-stream", metadata={})

    async def fetch(self, backup: str, file: str, to: Path) -> None:
        try:
            await self._store.fetch(_key(backup, file), to)
        except ObjectMissing as missing:
            raise CommandFailed(f"The backup {backup} has no {file} in the store.") from missing

    async def remove(self, backup: str) -> None:
        await self._store.delete(_key(backup, MANIFEST))
        keys = [entry.key async for entry in self._store.list(f"{PREFIX}{backup}/")]
        for key in keys:
            await self._store.delete(key)


def _key(backup: str, file: str) -> str:
    return f"{PREFIX}{backup}/{file}"
