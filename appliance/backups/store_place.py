"""Backups in the object store itself, under `backups/`, where no walk over originals passes."""

import asyncio
from pathlib import Path

from appliance.backups.manifest import MANIFEST, is_backup_name
from appliance.backups.places import too_large
from appliance.domain.errors import CommandFailed, ObjectMissing
from appliance.objectstore import ObjectStore

PREFIX = "backups/"


class StorePlace:
    """The object store that has the originals."""

    name = "the store"
    write_only = False

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def files(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async for entry in self._store.list(PREFIX):
            backup, _, file = entry.key.removeprefix(PREFIX).partition("/")
            if is_backup_name(backup) and file:
                found.setdefault(backup, set()).add(file)
        return found

    async def put(self, backup: str, path: Path) -> None:
        await self._store.put(_key(backup, path.name), path, media_type="application/octet-stream", metadata={})

    async def fetch(self, backup: str, file: str, to: Path, *, max_bytes: int) -> None:
        """The size is that of the response that is read, so an object that is replaced meanwhile can't be larger."""
        try:
            reader = await self._store.open(_key(backup, file))
        except ObjectMissing as missing:
            raise CommandFailed(f"The backup {backup} has no {file} in the store.") from missing
        async with reader:
            if reader.size > max_bytes:
                raise too_large(self.name, backup, file, max_bytes)
            try:
                with to.open("wb") as copy:
                    async for chunk in reader:
                        await asyncio.to_thread(copy.write, chunk)
            except OSError as fault:
                raise CommandFailed(f"{to} can't be written to: {fault.strerror}.") from fault

    async def remove(self, backup: str) -> None:
        await self._store.delete(_key(backup, MANIFEST))
        keys = [entry.key async for entry in self._store.list(f"{PREFIX}{backup}/")]
        for key in keys:
            try:
                await self._store.delete(key)
            except ValueError as error:
                raise CommandFailed(f"{key!r} is not a name that this host creates. Remove it by hand.") from error


def _key(backup: str, file: str) -> str:
    return f"{PREFIX}{backup}/{file}"
