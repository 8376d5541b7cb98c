"""`appliance restore`: catalogue and spool from a backup, and from what the store has learned since then."""

import asyncio
import os
import sys
import time
from pathlib import Path

from appliance.backups import spool_archive
from appliance.backups.keys import identity_of, trust_of
from appliance.backups.manifest import MANIFEST, is_backup_name
from appliance.backups.opening import OpenedBackup, find_backup, open_backup, open_copy, refuse_shrunken
from appliance.backups.places import FolderPlace, Place
from appliance.backups.signing import Trust
from appliance.backups.trust import find_newest_trusted
from appliance.catalogue.opening import CatalogueFile, stored_catalogue
from appliance.commands.backup_context import places_of, store_of
from appliance.commands.merge import merge
from appliance.commands.recovered_catalogue import recovering
from appliance.commands.restore_options import RestoreOptions
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.objectstore import ObjectStore
from appliance.server.data_dir_lock import owned_data_dir

MAX_LINES = 20
_NAME_IT = (
    "--unprotected accepts unverified backups, so name one that you made: --unprotected --backup NAME, or "
    "--unprotected --from PATH with the folder of one backup or a copy of a catalogue. Nothing was changed."
)


def restore(config: Config, options: RestoreOptions) -> int:
    """Raises CommandFailed if there is a catalogue already, DataDirectoryLocked while a server runs.

    The catalogue becomes this host's last: until then no server starts on the directory, and a restore can start again.
    """
    with owned_data_dir(config), recovering(config) as place:
        recovered, images, unreadable = asyncio.run(_recover(config, place.folder, options))
        place.put_in_place(recovered)
        print(f"{stored_catalogue(config)} has {images} images and passed its check. Start the server.")
        return _print_lines(unreadable, "left out", "others were left out")


async def _recover(config: Config, folder: Path, options: RestoreOptions) -> tuple[CatalogueFile, int, list[str]]:
    """The catalogue in a file, the number of its images, and a sentence for each object that describes no image."""
    async with store_of(config) as store:
        await store.start()
        opened = await _fetch(config, store, folder, options)
        unreadable = await _merge(config, store, opened, whole=options.whole_store) if options.merging else []
    await _require_intact(opened.catalogue, "merged")
    return opened.catalogue, (await opened.catalogue.count_rows()).images, unreadable


async def _fetch(config: Config, store: ObjectStore, folder: Path, options: RestoreOptions) -> OpenedBackup:
    """The opened backup; its originals are in the spool on return."""
    began = time.monotonic()
    opened = await _open(config, store, folder, options)
    await _require_intact(opened.catalogue, "backup's")
    originals = await asyncio.to_thread(spool_archive.unpack, opened.spool, config.spool_dir) if opened.spool else []
    print(f"Fetched and verified ({time.monotonic() - began:.1f} s); {len(originals)} originals restored.", flush=True)
    return opened


async def _merge(config: Config, store: ObjectStore, opened: OpenedBackup, *, whole: bool) -> list[str]:
    """Returns a sentence for each object that describes no image."""
    began = time.monotonic()
    merged = await merge(store, opened.catalogue, opened.since_s, config.spool_dir, whole=whole)
    print(
        f"Added from the store since the backup: {merged.uploaded} uploads, {merged.changed} changes, {merged.deleted} "
        f"deletions, {merged.albums} albums ({time.monotonic() - began:.1f} s).",
        flush=True,
    )
    return merged.unreadable


async def _require_intact(catalogue: CatalogueFile, which: str) -> None:
    if problems := await catalogue.find_problems():
        raise CommandFailed(f"The {which} catalogue is damaged: " + " ".join(problems[:MAX_LINES]))


async def _open(config: Config, store: ObjectStore, folder: Path, options: RestoreOptions) -> OpenedBackup:
    source, backup = options.source, options.backup
    trust = Trust() if options.unprotected else await trust_of(config)
    path = None if source in (None, "store", "second") else _readable_path(source)
    if path is not None and path.is_file():
        print(f"Restoring the catalogue copy {path}.", flush=True)
        return await open_copy(path, folder, trust)
    if path is not None and (path / MANIFEST).is_file() and is_backup_name(path.name):
        path, backup = path.parent, path.name
    place, backup = await _choose(_sources(config, store, source, path), backup, folder, trust, options)
    print(f"Restoring {backup} from {place.name}.", flush=True)
    return await open_backup(place, backup, folder, identity_of(config, options.identity), trust=trust)


async def _choose(
    places: list[Place], backup: str | None, folder: Path, trust: Trust, options: RestoreOptions
) -> tuple[Place, str]:
    """The named backup and its place, or the newest trusted one."""
    if backup is not None:
        return await find_backup(places, backup), backup
    if options.unprotected:
        raise CommandFailed(_NAME_IT)
    newest = await find_newest_trusted(places, folder, trust)
    _print_lines(list(newest.skipped), "skipped", "others were skipped")
    await refuse_shrunken(places, newest.place, newest.backup, folder, trust)
    return newest.place, newest.backup


def _readable_path(source: str) -> Path:
    """Raises CommandFailed if something is there that can't be read."""
    path = Path(source).absolute()
    try:
        readable = not path.exists() or os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)
    except PermissionError:
        readable = False
    if not readable:
        raise CommandFailed(
            f"{path} can't be read by the current user ({os.geteuid()}). Copy it to where that user can read it."
        )
    return path


def _sources(config: Config, store: ObjectStore, source: str | None, path: Path | None) -> list[Place]:
    if path is not None:
        if not path.is_dir():
            raise CommandFailed(f"Nothing was found at {path}. Name a file, a folder, `store` or `second`.")
        return [FolderPlace(path)]
    places = places_of(config, store)
    if source is None:
        return places
    chosen = [place for place in places if (place.name == "the store") == (source == "store")]
    if not chosen:
        raise CommandFailed(
            f"There is no configured place called `{source}`. See the backup section of `appliance config`."
        )
    return chosen


def _print_lines(lines: list[str], what: str, others: str) -> int:
    for line in lines[:MAX_LINES]:
        print(f"appliance: {what}: {line}", file=sys.stderr, flush=True)
    if len(lines) > MAX_LINES:
        print(f"appliance: and {len(lines) - MAX_LINES} {others}", file=sys.stderr, flush=True)
    return int(bool(lines))
