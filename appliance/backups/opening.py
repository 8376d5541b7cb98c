"""Opens a backup: fetches it, compares it with its manifest and decrypts it. Also opens a plain copy of a catalogue."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.encryption import decrypt
from appliance.backups.manifest import CATALOGUE, SPOOL, Manifest, require_unchanged
from appliance.backups.places import Place
from appliance.backups.signing import Trust
from appliance.backups.trust import MAX_OPENED, fetch_trusted_manifest, list_backups
from appliance.catalogue.opening import CatalogueFile
from appliance.domain.errors import ApplianceError, CommandFailed, DiskFull

MAX_SHRINKAGE = 2
"""How many times more rows an older backup may have than the newest one before `restore` asks which one is meant. A
catalogue hardly shrinks that much: a deleted image stays a row for a year, as a tombstone."""


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """A backup as plain files. `manifest` and `spool` are None for a plain copy of a catalogue."""

    catalogue: CatalogueFile
    spool: Path | None
    manifest: Manifest | None

    @property
    def since_s(self) -> float:
        """Since when the store may know more than the backup, in unix seconds."""
        return self.manifest.created_s if self.manifest else self.catalogue.modified_s


async def find_backup(places: Sequence[Place], backup: str) -> Place:
    """The first place that has the complete backup. Raises CommandFailed if none has."""
    found, faults = await list_backups(places)
    for name, place in found:
        if name == backup:
            return place
    where = ", ".join(place.name for place in places) or "no place"
    raise CommandFailed(" ".join([f"There is no backup {backup} in {where}.", *faults]))


async def refuse_shrunken(places: Sequence[Place], place: Place, backup: str, folder: Path, trust: Trust) -> None:
    """Raises CommandFailed if an older backup has more than twice the rows of this one, by their manifests.

    A reinstalled machine may have made this one by itself before its catalogue was restored.
    """
    rows = (await fetch_trusted_manifest(place, backup, folder, trust)).rows
    from_before = [(name, where) for name, where in (await list_backups(places))[0] if name < backup]
    for name, where in from_before[:MAX_OPENED]:
        with contextlib.suppress(ApplianceError):  # an older one that can't be read is no reason against this one
            before = (await fetch_trusted_manifest(where, name, folder, trust)).rows
            if before > MAX_SHRINKAGE * rows:
                break
    else:
        return
    raise CommandFailed(
        f"The newest backup, {backup} in {place.name}, has {rows:,} rows, and {name} in {where.name} has {before:,}: "
        "it may come from a reinstalled machine that made a backup before it was restored. Nothing was changed. "
        f"Name the one you want: --backup {name}, or --backup {backup}."
    )


async def open_backup(
    place: Place, backup: str, folder: Path, identity: Path | None, *, trust: Trust, reserve_bytes: int = 0
) -> OpenedBackup:
    """Fetch a backup into `folder`, and check and decrypt it.

    Raises CommandFailed if anything differs from the manifest or from what `trust` requires, what the place raises, and
    DiskFull, before the parts are fetched, if the folder's disk would have less than `reserve_bytes` left.
    """
    manifest = await fetch_trusted_manifest(place, backup, folder, trust)
    _require_room(folder, manifest, reserve_bytes)
    plain: dict[str, Path] = {}
    for part in manifest.parts:
        path = folder / part.name
        await place.fetch(backup, part.name, path, max_bytes=part.bytes)
        await asyncio.to_thread(require_unchanged, path, part)
        plain[part.plain_name] = await decrypt(path, identity) if part.encrypted else path
    return OpenedBackup(CatalogueFile(plain[CATALOGUE]), plain.get(SPOOL), manifest)


def _require_room(folder: Path, manifest: Manifest, reserve_bytes: int) -> None:
    """Room for all parts, and for the largest encrypted one twice while it is decrypted."""
    wanted = manifest.size_bytes + max(part.bytes if part.encrypted else 0 for part in manifest.parts)
    disk = os.statvfs(folder)
    free = max(0, disk.f_bavail * disk.f_frsize - reserve_bytes)
    if wanted > free:
        raise DiskFull(
            f"Opening the backup {manifest.backup} temporarily needs {wanted:,} bytes, but only {free:,} are free "
            f"({wanted - free:,} missing). Free some space on the disk of {folder.parent}.",
            limit=free,
            actual=wanted,
        )


async def open_copy(path: Path, folder: Path, trust: Trust) -> OpenedBackup:
    """Open a copy that `appliance catalogue backup` wrote. Raises CommandFailed if `trust` requires more than that."""
    if trust.signers or trust.encrypted:
        raise CommandFailed(
            f"{path} is a plain copy of a catalogue, but the [backup] settings require backups to be encrypted or "
            "signed. If you made it yourself, restore it with --unprotected."
        )
    copy = folder / CATALOGUE
    await asyncio.to_thread(shutil.copy2, path, copy)
    return OpenedBackup(CatalogueFile(copy), None, None)
