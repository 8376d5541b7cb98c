"""Opening a backup: fetched, held against its manifest, decrypted; or the bare copy of a catalogue."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.encryption import decrypt
from appliance.backups.manifest import CATALOGUE, MANIFEST, SPOOL, Manifest, read, require_same
from appliance.backups.places import Place, whole
from appliance.errors import ApplianceError, CommandFailed


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


async def open_backup(place: Place, backup: str, folder: Path, identity: Path | None) -> Opened:
    """Raises CommandFailed where anything is not as the manifest says, and what the place raises."""
    await place.fetch(backup, MANIFEST, folder / MANIFEST)
    manifest = read(folder / MANIFEST)
    if manifest.backup != backup:
        raise CommandFailed(f"The manifest of {backup} is that of {manifest.backup}.")
    plain: dict[str, Path] = {}
    for part in manifest.parts:
        path = folder / part.name
        await place.fetch(backup, part.name, path)
        await asyncio.to_thread(require_same, path, part)
        plain[part.plain_name] = await decrypt(path, identity) if part.encrypted else path
    return Opened(plain[CATALOGUE], plain.get(SPOOL), manifest)


async def open_copy(path: Path, folder: Path) -> Opened:
    """A copy that `appliance catalogue backup` wrote."""
    copy = folder / CATALOGUE
    await asyncio.to_thread(shutil.copy2, path, copy)
    return Opened(copy, None, None)
