"""Opening a backup: fetched, held against its manifest, decrypted; or the bare copy of a catalogue."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.encryption import decrypt
from appliance.backups.manifest import CATALOGUE, MANIFEST, SPOOL, Manifest, read, require_same
from appliance.backups.places import Place, whole
from appliance.errors import ApplianceError, CommandFailed, DiskFull


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup as plain files. `manifest` and `spool` are None for the bare copy of a catalogue."""

    catalogue: Path
    spool: Path | None
    manifest: Manifest | None

    @property
    def since_s(self) -> float:
        """From when on the store may know more, in unix seconds."""
        return self.manifest.created_s if self.manifest else self.catalogue.stat().st_mtime


async def newest(places: Sequence[Place], backup: str | None = None) -> tuple[Place, str]:
    """The place that has the newest whole backup, or the named one; the first of several. Raises CommandFailed."""
    found: list[tuple[str, int, Place]] = []
    faults = []
    for rank, place in enumerate(places):
        try:
            found += [(name, -rank, place) for name in await whole(place) if backup in (None, name)]
        except ApplianceError as fault:
            faults.append(f"{place.name}: {fault.detail}")
    if not found:
        where = ", ".join(place.name for place in places) or "no place"
        wanted = f"the backup {backup}" if backup else "a whole backup"
        raise CommandFailed(" ".join([f"There is not {wanted} in {where}.", *faults]))
    name, _, place = max(found, key=lambda one: one[:2])
    return place, name


async def open_backup(
    place: Place, backup: str, folder: Path, identity: Path | None, *, reserve_bytes: int = 0
) -> Opened:
    """Raises CommandFailed where anything is not as the manifest says, and what the place raises.

    Raises DiskFull, before the parts are fetched, where the folder's disk would have less than `reserve_bytes` left.
    """
    await place.fetch(backup, MANIFEST, folder / MANIFEST)
    manifest = read(folder / MANIFEST)
    if manifest.backup != backup:
        raise CommandFailed(f"The manifest of {backup} is that of {manifest.backup}.")
    _require_room(folder, manifest, reserve_bytes)
    plain: dict[str, Path] = {}
    for part in manifest.parts:
        path = folder / part.name
        await place.fetch(backup, part.name, path)
        await asyncio.to_thread(require_same, path, part)
        plain[part.plain_name] = await decrypt(path, identity) if part.encrypted else path
    return Opened(plain[CATALOGUE], plain.get(SPOOL), manifest)


def _require_room(folder: Path, manifest: Manifest, reserve_bytes: int) -> None:
    """All parts, and one of them twice while it is decrypted."""
    wanted = manifest.size_bytes + max(part.bytes if part.encrypted else 0 for part in manifest.parts)
    disk = os.statvfs(folder)
    free = max(0, disk.f_bavail * disk.f_frsize - reserve_bytes)
    if wanted > free:
        raise DiskFull(
            f"Opening the backup {manifest.backup} needs {wanted:,} bytes for a while, and {free:,} are free: "
            f"{wanted - free:,} are missing. Make room on the disk of {folder.parent}.",
            limit=free,
            actual=wanted,
        )


async def open_copy(path: Path, folder: Path) -> Opened:
    """A copy that `appliance catalogue backup` wrote."""
    copy = folder / CATALOGUE
    await asyncio.to_thread(shutil.copy2, path, copy)
    return Opened(copy, None, None)
