"""Opening a backup: fetched, held against its manifest, decrypted; or the bare copy of a catalogue."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.encryption import decrypt
from appliance.backups.manifest import CATALOGUE, SPOOL, Manifest, require_same
from appliance.backups.places import Place
from appliance.backups.signing import Trust
from appliance.backups.trust import LOOKED_AT, believed, candidates
from appliance.catalogue.opening import CatalogueFile
from appliance.domain.errors import ApplianceError, CommandFailed, DiskFull

FULLER = 2
"""So many times the rows of the newest backup, in one from before, are a reason to ask which one is meant. A catalogue
hardly shrinks so: what is deleted stays a row for a year, as a tombstone."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup as plain files. `manifest` and `spool` are None for the bare copy of a catalogue."""

    catalogue: CatalogueFile
    spool: Path | None
    manifest: Manifest | None

    @property
    def since_s(self) -> float:
        """From when on the store may know more, in unix seconds."""
        return self.manifest.created_s if self.manifest else self.catalogue.modified_s


async def named(places: Sequence[Place], backup: str) -> Place:
    """The first place that has it whole. Raises CommandFailed."""
    found, faults = await candidates(places)
    for name, place in found:
        if name == backup:
            return place
    where = ", ".join(place.name for place in places) or "no place"
    raise CommandFailed(" ".join([f"There is no backup {backup} in {where}.", *faults]))


async def require_no_fuller(places: Sequence[Place], place: Place, backup: str, folder: Path, trust: Trust) -> None:
    """Raises CommandFailed where one from before that backup has more than twice its rows, by their manifests.

    Such a backup may be one that a machine made by itself before its catalogue was restored.
    """
    rows = (await believed(place, backup, folder, trust)).rows
    from_before = [(name, where) for name, where in (await candidates(places))[0] if name < backup]
    for name, where in from_before[:LOOKED_AT]:
        with contextlib.suppress(ApplianceError):  # no reason not to restore another one
            before = (await believed(where, name, folder, trust)).rows
            if before > FULLER * rows:
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
) -> Opened:
    """Raises CommandFailed where anything is not as the manifest and `trust` say, and what the place raises.

    Raises DiskFull, before the parts are fetched, where the folder's disk would have less than `reserve_bytes` left.
    """
    manifest = await believed(place, backup, folder, trust)
    _require_room(folder, manifest, reserve_bytes)
    plain: dict[str, Path] = {}
    for part in manifest.parts:
        path = folder / part.name
        await place.fetch(backup, part.name, path, max_bytes=part.bytes)
        await asyncio.to_thread(require_same, path, part)
        plain[part.plain_name] = await decrypt(path, identity) if part.encrypted else path
    return Opened(CatalogueFile(plain[CATALOGUE]), plain.get(SPOOL), manifest)


def _require_room(folder: Path, manifest: Manifest, reserve_bytes: int) -> None:
    """All parts, and one of them twice while it is decrypted."""
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


async def open_copy(path: Path, folder: Path, trust: Trust) -> Opened:
    """A copy that `appliance catalogue backup` wrote. Raises CommandFailed where `trust` asks for more than that."""
    if trust.signers or trust.encrypted:
        raise CommandFailed(
            f"{path} is a plain copy of a catalogue, but the [backup] settings require backups to be encrypted or "
            "signed. If you made it yourself, restore it with --unprotected."
        )
    copy = folder / CATALOGUE
    await asyncio.to_thread(shutil.copy2, path, copy)
    return Opened(CatalogueFile(copy), None, None)
