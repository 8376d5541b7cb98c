"""Prepares a backup in a local folder, and delivers it to its places: parts first, the manifest last."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance import __version__
from appliance.backups import spool_archive
from appliance.backups.encryption import encrypt
from appliance.backups.manifest import CATALOGUE, MANIFEST, SPOOL, Manifest, backup_name, describe_part
from appliance.backups.places import Place
from appliance.backups.signing import sign
from appliance.catalogue.opening import copy_to_file, stored_catalogue
from appliance.config.model import Config
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, DiskFull


@dataclass(frozen=True, slots=True)
class PreparedBackup:
    """A backup in a local folder. `originals` counts those of the spool; `signature` is None without a key."""

    folder: Path
    manifest: Manifest
    originals: int
    signature: Path | None


async def prepare_backup(
    config: Config, folder: Path, recipients: Sequence[str], clock: Clock, *, signing_key: Path | None = None
) -> PreparedBackup:
    """Write a backup to `folder`.

    The catalogue is copied first, so that the spool has every original that the copy has as unshipped; of several nodes
    this one's has its own. Raises DiskFull, CommandFailed and the catalogue's errors.
    """
    backup = backup_name(clock())
    _require_room(config, folder, encrypted=bool(recipients))
    catalogue, spool, linked = folder / CATALOGUE, folder / SPOOL, folder / "held"
    copy = await copy_to_file(config, catalogue)
    counts = await copy.count_rows()
    await asyncio.to_thread(spool_archive.link_files, config.spool_dirs, linked)
    originals = await asyncio.to_thread(spool_archive.pack, linked, spool)
    files = [await encrypt(path, recipients) if recipients else path for path in (catalogue, spool)]
    parts = tuple([await asyncio.to_thread(describe_part, path) for path in files])
    manifest = Manifest(backup, __version__, counts.images, counts.tombstones, counts.albums, parts)
    (folder / MANIFEST).write_bytes(manifest.to_json())
    signature = await sign(folder / MANIFEST, signing_key) if signing_key else None
    return PreparedBackup(folder, manifest, originals, signature)


async def deliver_backup(prepared: PreparedBackup, place: Place) -> None:
    """On return the backup is complete in its place; until then it has no manifest there. Raises what the place raises.

    If delivery fails, what was delivered is removed if possible: it may be what fills the place.
    """
    backup = prepared.manifest.backup
    try:
        for part in prepared.manifest.parts:
            await place.put(backup, prepared.folder / part.name)
        if prepared.signature:
            await place.put(backup, prepared.signature)
        await place.put(backup, prepared.folder / MANIFEST)
    except ApplianceError:
        with contextlib.suppress(ApplianceError):
            await place.remove(backup)
        raise


def _require_room(config: Config, folder: Path, *, encrypted: bool) -> None:
    """Room for a copy of the catalogue and of the spool, and once more for the larger one while it is encrypted."""
    waiting = sum(_size_bytes(path) for spool in config.spool_dirs for path in (spool / "landed").glob("*"))
    catalogue = stored_catalogue(config).size_bytes
    wanted = catalogue + waiting + (max(catalogue, waiting) if encrypted else 0)
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize - config.uploads.reserve_bytes
    if wanted > free:
        raise DiskFull(
            f"A backup temporarily needs {wanted:,} bytes, but only {max(0, free):,} are free besides "
            f"uploads.reserve_bytes. Free some space on the disk of {config.data_dir}.",
            limit=max(0, free),
            actual=wanted,
        )


def _size_bytes(path: Path) -> int:
    """Nothing for a file that was shipped in this moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
