"""Opening a backup: fetched, held against its manifest, decrypted; or the bare copy of a catalogue."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.encryption import decrypt
from appliance.backups.manifest import CATALOGUE, MANIFEST, SPOOL, Manifest, read, require_same
from appliance.backups.places import Place, whole
from appliance.backups.signing import SIGNATURE, Trust, require_signed
from appliance.errors import ApplianceError, CommandFailed, DiskFull

FULLER = 2
"""So many times the rows of the newest backup, in one from before, are a reason to ask which one is meant. A catalogue
hardly shrinks so: what is deleted stays a row for a year, as a tombstone."""

_ANYWAY = "If you made it yourself, restore it with --unprotected."


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
    found, faults = await _found(places)
    wanted = [name for name in found if backup in (None, name)]
    if not wanted:
        where = ", ".join(place.name for place in places) or "no place"
        what = f"the backup {backup}" if backup else "a whole backup"
        raise CommandFailed(" ".join([f"There is not {what} in {where}.", *faults]))
    name = max(wanted)
    return found[name], name


async def require_no_fuller(places: Sequence[Place], place: Place, backup: str, folder: Path, trust: Trust) -> None:
    """Raises CommandFailed where one from before that backup has more than twice its rows, by their manifests.

    Such a backup may be one that a machine made by itself before its catalogue was restored.
    """
    rows = (await _manifest(place, backup, folder, trust)).rows
    for name, where in sorted((await _found(places))[0].items(), reverse=True):
        with contextlib.suppress(ApplianceError):  # no reason not to restore another one
            before = (await _manifest(where, name, folder, trust)).rows if name < backup else 0
            if before > FULLER * rows:
                break
    else:
        return
    raise CommandFailed(
        f"The newest backup, {backup} in {place.name}, has {rows:,} rows, and {name} in {where.name} has {before:,}: "
        "it may be of a machine that was installed anew and made a backup before it was restored. Nothing was changed. "
        f"Name the one that you want: --backup {name}, or --backup {backup}."
    )


async def _found(places: Sequence[Place]) -> tuple[dict[str, Place], list[str]]:
    """Each whole backup with the first place that has it, and the faults of places that can't be asked."""
    found: dict[str, Place] = {}
    faults = []
    for place in places:
        try:
            found = dict.fromkeys(await whole(place), place) | found
        except ApplianceError as fault:
            faults.append(f"{place.name}: {fault.detail}")
    return found, faults


async def open_backup(
    place: Place, backup: str, folder: Path, identity: Path | None, *, trust: Trust, reserve_bytes: int = 0
) -> Opened:
    """Raises CommandFailed where anything is not as the manifest and `trust` say, and what the place raises.

    Raises DiskFull, before the parts are fetched, where the folder's disk would have less than `reserve_bytes` left.
    """
    manifest = await _manifest(place, backup, folder, trust)
    _require_room(folder, manifest, reserve_bytes)
    plain: dict[str, Path] = {}
    for part in manifest.parts:
        path = folder / part.name
        await place.fetch(backup, part.name, path)
        await asyncio.to_thread(require_same, path, part)
        plain[part.plain_name] = await decrypt(path, identity) if part.encrypted else path
    return Opened(plain[CATALOGUE], plain.get(SPOOL), manifest)


async def _manifest(place: Place, backup: str, folder: Path, trust: Trust) -> Manifest:
    """Its signature is checked before a byte of it is read as a manifest."""
    await place.fetch(backup, MANIFEST, folder / MANIFEST)
    if trust.signers:
        await _require_signed(place, backup, folder, trust.signers)
    manifest = read(folder / MANIFEST)
    if manifest.backup != backup:
        raise CommandFailed(f"The manifest of {backup} is that of {manifest.backup}.")
    if trust.encrypted and not all(part.encrypted for part in manifest.parts):
        raise CommandFailed(
            f"The backup {backup} in {place.name} is not encrypted, though backup.age_recipients says that backups "
            f"are: somebody else may have put it there. {_ANYWAY}"
        )
    return manifest


async def _require_signed(place: Place, backup: str, folder: Path, signers: Sequence[str]) -> None:
    signature = folder / SIGNATURE
    try:
        await place.fetch(backup, SIGNATURE, signature)
    except CommandFailed as fault:
        raise CommandFailed(
            f"The backup {backup} in {place.name} has no signature, though backup.signers or a signing key says that "
            f"backups are signed: somebody else may have put it there. {_ANYWAY} ({fault.detail})"
        ) from fault
    await require_signed(folder / MANIFEST, signature, signers)


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


async def open_copy(path: Path, folder: Path, trust: Trust) -> Opened:
    """A copy that `appliance catalogue backup` wrote. Raises CommandFailed where `trust` asks for more than that."""
    if trust.signers or trust.encrypted:
        raise CommandFailed(
            f"{path} is a plain copy of a catalogue, while the settings of [backup] say that backups are encrypted or "
            f"signed: nobody can tell who made it. {_ANYWAY}"
        )
    copy = folder / CATALOGUE
    await asyncio.to_thread(shutil.copy2, path, copy)
    return Opened(copy, None, None)
