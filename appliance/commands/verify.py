"""`appliance verify`: opens the newest backup of each place, and compares it with the live data."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from appliance.backups import spool_archive
from appliance.backups.keys import identity_of, trust_of
from appliance.backups.last_results import record_results
from appliance.backups.manifest import created_at
from appliance.backups.opening import OpenedBackup, open_backup
from appliance.backups.places import Place
from appliance.backups.signing import Trust
from appliance.backups.trust import NewestBackup, find_newest_trusted
from appliance.catalogue.opening import stored_catalogue
from appliance.commands.backup_context import places_of, store_of, working_folder
from appliance.config.model import Config
from appliance.domain.clock import DAY_S
from appliance.domain.errors import ApplianceError, ObjectMissing
from appliance.domain.model import Image, Location, Tombstone
from appliance.domain.slugs import object_key
from appliance.objectstore import ObjectStore

SAMPLE = 1000
AT_ONCE = 16
MAX_LINES = 20
OLDEST_S = 2 * DAY_S


def verify(config: Config, *, identity: Path | None) -> int:
    """Prints a line for each difference; exit status 1 if there is one. Raises CommandFailed."""
    with working_folder(config, "verify") as folder:
        return asyncio.run(_verify(config, folder, identity_of(config, identity)))


async def _verify(config: Config, folder: Path, identity: Path | None) -> int:
    faults = 0
    async with store_of(config) as store:
        for place in places_of(config, store):
            if place.write_only:
                print(f"{place.name}: its key can only write, so verify it from another machine.", flush=True)
                continue
            try:
                with _scratch(folder) as scratch:
                    problems = await _problems(config, store, place, scratch, identity)
            except ApplianceError as fault:
                problems = [fault.detail]
            for problem in problems[:MAX_LINES]:
                print(f"{place.name}: {problem}", flush=True)
            faults += bool(problems)
    await asyncio.to_thread(record_results, config, verified_s=int(time.time()), verified=not faults)
    return int(bool(faults))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for one place's backup, removed afterwards: there is room for one at a time."""
    scratch = folder / "opened"
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _problems(
    config: Config, store: ObjectStore, place: Place, scratch: Path, identity: Path | None
) -> list[str]:
    """The problems of the newest trusted backup, and each newer one that is not trusted: somebody put it there."""
    trust = await trust_of(config)
    newest = await find_newest_trusted([place], scratch, trust)
    try:
        problems = await _problems_in(config, store, newest, scratch, identity, trust=trust)
    except ApplianceError as fault:
        problems = [fault.detail]
    return problems + [f"Skipped: {words}" for words in newest.skipped]


async def _problems_in(
    config: Config, store: ObjectStore, newest: NewestBackup, scratch: Path, identity: Path | None, *, trust: Trust
) -> list[str]:
    place, name, reserve_bytes = newest.place, newest.backup, config.uploads.reserve_bytes
    opened = await open_backup(place, name, scratch, identity, trust=trust, reserve_bytes=reserve_bytes)
    problems = _too_old(name) + await opened.catalogue.find_problems() + await _miscounted(opened)
    if problems:
        return problems
    originals, damaged = await _originals(opened)
    sample = await opened.catalogue.sample(SAMPLE)
    problems = damaged + await _differences(config, store, sample)
    if not problems:
        images = opened.manifest.images if opened.manifest else 0
        print(
            f"{place.name}: {name} is intact and matches the live data: {len(sample)} of {images} rows, their "
            f"objects, {originals} originals in the spool.",
            flush=True,
        )
    return problems


def _waits(row: Image | Tombstone) -> TypeGuard[Image]:
    """Whether its original is only in the spool. Other landed files may be about to replace what is in the store."""
    return isinstance(row, Image) and row.location is Location.SPOOL


def _too_old(backup: str) -> list[str]:
    age_s = time.time() - created_at(backup).timestamp()
    days = f"{age_s / DAY_S:.1f}"
    return [f"The newest backup, {backup}, is {days} days old. Is the timer running?"] if age_s > OLDEST_S else []


async def _miscounted(opened: OpenedBackup) -> list[str]:
    counts, manifest = await opened.catalogue.count_rows(), opened.manifest
    if manifest is None:
        return []
    pairs = (
        ("images", counts.images, manifest.images),
        ("tombstones", counts.tombstones, manifest.tombstones),
        ("albums", counts.albums, manifest.albums),
    )
    return [f"It has {found} {what}, but its manifest says {said}." for what, found, said in pairs if found != said]


async def _originals(opened: OpenedBackup) -> tuple[int, list[str]]:
    """How many originals the backup has, and a problem for each that differs from its row."""
    if opened.spool is None:
        return 0, []
    digests = await asyncio.to_thread(spool_archive.digests, opened.spool)
    rows = await opened.catalogue.find_rows(list(digests))
    wrong = [slug for slug, row in rows.items() if _waits(row) and row.sha256 != digests[slug]]
    return len(digests), [f"Its original of {slug} doesn't match the catalogue." for slug in wrong]


async def _differences(config: Config, store: ObjectStore, sample: list[Image]) -> list[str]:
    """Compares rows with the live ones, as far as they can't change, and the rows' objects with the store's."""
    running = await stored_catalogue(config).find_rows([image.slug for image in sample])
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(image: Image) -> str | None:
        row = running.get(image.slug)
        if row is None:
            return f"Image {image.slug} is in the backup, but not in the live catalogue."
        if isinstance(row, Tombstone):
            return None
        if _differ(image, row):
            return f"Image {image.slug} differs between the backup and the live catalogue."
        if row.ended is not None or row.location is not Location.STORE:
            return None
        async with at_once:
            return await _object_problem(store, row)

    return [problem for problem in await asyncio.gather(*map(one, sample)) if problem]


async def _object_problem(store: ObjectStore, image: Image) -> str | None:
    try:
        found = await store.stat(object_key(image.slug))
    except ObjectMissing:
        return f"The store has no original of {image.slug}."
    if found.bytes != image.bytes:
        return f"The store's original of {image.slug} has {found.bytes} bytes, not {image.bytes}."
    return None


def _differ(backup: Image, live: Image) -> bool:
    """Whether the live row can't have come of the backup's. Only a later version may have other bytes."""
    is_same_image = _constants(live) == _constants(backup) and live.version >= backup.version
    return not is_same_image or (live.version == backup.version and _original(live) != _original(backup))


def _constants(image: Image) -> tuple[object, ...]:
    """The fields that no change touches."""
    return (image.filename, image.created_s, image.token_hash)


def _original(image: Image) -> tuple[object, ...]:
    return (image.sha256, image.bytes, image.media_type)
