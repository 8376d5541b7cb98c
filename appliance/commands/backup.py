"""`appliance backup`: saves the catalogue, and originals that the store lacks, to every configured place."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from appliance.backups.creation import PreparedBackup, deliver_backup, prepare_backup
from appliance.backups.keys import signing_key_of, trust_of
from appliance.backups.last_results import record_results
from appliance.backups.manifest import backup_name
from appliance.backups.places import Place
from appliance.backups.retention import prune
from appliance.backups.signing import Trust
from appliance.catalogue.opening import stored_catalogue
from appliance.commands.backup_context import places_of, store_of, working_folder
from appliance.config.model import Config
from appliance.domain.clock import system_clock
from appliance.domain.errors import ApplianceError

MAX_NAMES = 5


def backup(config: Config) -> int:
    """Prints a line for each place; exit status 1 if one of them has no complete backup. Raises CommandFailed."""
    stored_catalogue(config).require_present()
    with working_folder(config, "backup") as folder:
        return asyncio.run(_backup(config, folder))


async def _backup(config: Config, folder: Path) -> int:
    began = time.monotonic()
    async with store_of(config) as store:
        places, key, trust = places_of(config, store), signing_key_of(config), await trust_of(config)
        for place in places:
            await _make_room(config, place, trust)
        prepared = await prepare_backup(config, folder, config.backup.age_recipients, system_clock, signing_key=key)
        _report(prepared, time.monotonic() - began)
        delivered = await _for_each(places, lambda place: _deliver(prepared, place))
        pruned = await _for_each(delivered, lambda place: _prune(config, place, trust, prepared.manifest.backup))
    if len(delivered) == len(places):
        await asyncio.to_thread(
            record_results,
            config,
            backup_s=prepared.manifest.created_s,
            backup_bytes=prepared.manifest.size_bytes,
        )
    return int(not len(pruned) == len(delivered) == len(places))


async def _for_each(places: Sequence[Place], do: Callable[[Place], Awaitable[None]]) -> list[Place]:
    """Returns the places where it succeeded. The errors of the others are printed, and stop nothing."""
    done = []
    for place in places:
        try:
            await do(place)
        except ApplianceError as fault:
            print(f"appliance: {place.name}: {fault.detail}", file=sys.stderr, flush=True)
        else:
            done.append(place)
    return done


def _report(prepared: PreparedBackup, seconds: float) -> None:
    manifest = prepared.manifest
    encrypted = "encrypted" if manifest.parts[0].encrypted else "not encrypted"
    print(
        f"Backup {manifest.backup}: {manifest.images} images, {manifest.albums} albums, {prepared.originals} originals "
        f"that aren't in the store yet; {manifest.size_bytes} bytes, {encrypted}, "
        f"{'signed' if prepared.signature else 'not signed'}, in {seconds:.1f} s.",
        flush=True,
    )


async def _deliver(prepared: PreparedBackup, place: Place) -> None:
    began = time.monotonic()
    await deliver_backup(prepared, place)
    print(f"Saved to {place.name} ({time.monotonic() - began:.1f} s).", flush=True)


async def _make_room(config: Config, place: Place, trust: Trust) -> None:
    """Removes old backups first: they may be on the disk that is full. Errors are left to the second attempt."""
    with contextlib.suppress(ApplianceError):
        await _prune(config, place, trust, backup_name(system_clock()), verbose=False)


async def _prune(config: Config, place: Place, trust: Trust, coming: str, *, verbose: bool = True) -> None:
    """Removes old backups. Ignored ones are reported once a run, after delivery."""
    if place.write_only:
        return
    daily, weekly = config.backup.keep_daily, config.backup.keep_weekly
    with tempfile.TemporaryDirectory(dir=config.backups_dir) as folder:
        pruned = await prune(place, daily=daily, weekly=weekly, folder=Path(folder), trust=trust, coming=coming)
    if pruned.removed:
        print(f"Removed from {place.name}: {', '.join(pruned.removed)}.", flush=True)
    if verbose and pruned.ignored:
        print(
            f"{place.name}: ignored: {_shorten(pruned.ignored)}. They aren't signed by a trusted key, aren't "
            "backups, or have a date in the future. They stay until someone removes them.",
            flush=True,
        )


def _shorten(names: list[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join([*names[-MAX_NAMES:], *([f"and {more} others"] if more > 0 else [])])
