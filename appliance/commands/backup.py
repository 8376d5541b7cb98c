"""`appliance backup`: the catalogue, and what the store does not have yet, brought to every configured place."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from appliance.backups.creation import PreparedBackup, deliver_backup, prepare_backup
from appliance.backups.keys import signing_key_of, trust_of
from appliance.backups.last_results import note
from appliance.backups.manifest import name_of
from appliance.backups.places import Place
from appliance.backups.retention import tidy
from appliance.backups.signing import Trust
from appliance.catalogue.opening import catalogue_file
from appliance.commands.backup_context import places_of, store_of, working_folder
from appliance.config.model import Config
from appliance.domain.clock import system_clock
from appliance.domain.errors import ApplianceError

MOST_NAMED = 5


def backup(config: Config) -> int:
    """Prints a line for each place; exit status 1 when one of them has no whole backup. Raises named errors."""
    catalogue_file(config).require_present()
    with working_folder(config, "backup") as folder:
        return asyncio.run(_backup(config, folder))


async def _backup(config: Config, folder: Path) -> int:
    began = time.monotonic()
    async with store_of(config) as store:
        places, key, trust = places_of(config, store), signing_key_of(config), await trust_of(config)
        for place in places:
            await _make_room(config, place, trust)
        made = await prepare_backup(config, folder, config.backup.age_recipients, system_clock, signing_key=key)
        _say(made, time.monotonic() - began)
        brought = await _for_each(places, lambda place: _bring(made, place))
        tidied = await _for_each(brought, lambda place: _tidy(config, place, trust, made.manifest.backup))
    if len(brought) == len(places):
        await asyncio.to_thread(
            note, config.backups_dir, backup_s=made.manifest.created_s, backup_bytes=made.manifest.size_bytes
        )
    return int(not len(tidied) == len(brought) == len(places))


async def _for_each(places: Sequence[Place], do: Callable[[Place], Awaitable[None]]) -> list[Place]:
    """Those where it went well; the faults of the others are told, and hold up none."""
    done = []
    for place in places:
        try:
            await do(place)
        except ApplianceError as fault:
            print(f"appliance: {place.name}: {fault.detail}", file=sys.stderr, flush=True)
        else:
            done.append(place)
    return done


def _say(made: PreparedBackup, seconds: float) -> None:
    manifest = made.manifest
    encrypted = "encrypted" if manifest.parts[0].encrypted else "not encrypted"
    print(
        f"Backup {manifest.backup}: {manifest.images} images, {manifest.albums} albums, {made.originals} originals "
        f"that aren't in the store yet; {manifest.size_bytes} bytes, {encrypted}, "
        f"{'signed' if made.signature else 'not signed'}, in {seconds:.1f} s.",
        flush=True,
    )


async def _bring(made: PreparedBackup, place: Place) -> None:
    began = time.monotonic()
    await deliver_backup(made, place)
    print(f"Saved to {place.name} ({time.monotonic() - began:.1f} s).", flush=True)


async def _make_room(config: Config, place: Place, trust: Trust) -> None:
    """Old backups go first: they may lie on the very disk that is full. What fails here is told when it fails again."""
    with contextlib.suppress(ApplianceError):
        await _tidy(config, place, trust, name_of(system_clock()), said=False)


async def _tidy(config: Config, place: Place, trust: Trust, coming: str, *, said: bool = True) -> None:
    """What is left alone is said once a run, when the backup is there."""
    if place.write_only:
        return
    daily, weekly = config.backup.keep_daily, config.backup.keep_weekly
    with tempfile.TemporaryDirectory(dir=config.backups_dir) as folder:
        tidied = await tidy(place, daily=daily, weekly=weekly, folder=Path(folder), trust=trust, coming=coming)
    if tidied.removed:
        print(f"Removed from {place.name}: {', '.join(tidied.removed)}.", flush=True)
    if said and tidied.left_alone:
        print(
            f"{place.name}: ignored: {_some(tidied.left_alone)}. They aren't signed by a trusted key, aren't "
            "backups, or have a date in the future. They stay until someone removes them.",
            flush=True,
        )


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join([*names[-MOST_NAMED:], *([f"and {more} others"] if more > 0 else [])])
