"""`appliance catalogue rebuild`, `check` and `backup`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

from tqdm import tqdm

from appliance.catalogue import Merging, backup_file, check_file
from appliance.catalogue import rebuild as write_catalogue
from appliance.commands.merge import in_batches
from appliance.commands.recovery import Recovery
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.domain.model import Image
from appliance.objectstore import open_store
from appliance.server.data_dir_lock import owned_data_dir

MOST_TOLD = 20


def rebuild(config: Config) -> int:
    """Writes the catalogue anew from the store and the spool, and keeps the old file beside it.

    Exit status 1 when some object describes no image; the others are in the catalogue then. Raises
    DataDirectoryLocked while a server runs, and StoreUnavailable or CommandFailed with the old catalogue untouched.
    """
    with owned_data_dir(config):
        return asyncio.run(_rebuild(config))


def check(config: Config) -> int:
    """Says what is damaged, a line each; exit status 1 then. Only reads, so a server may run."""
    _require_catalogue(config)
    problems = asyncio.run(check_file(config.catalogue_path))
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{config.catalogue_path} is intact.")
    return int(bool(problems))


def backup(config: Config, destination: Path) -> int:
    """Writes a checked copy to `destination`. Only reads, so a server may run. Raises CommandFailed."""
    _require_catalogue(config)
    if destination.exists():
        raise CommandFailed(f"{destination} already exists. Choose a different file.")
    if not destination.absolute().parent.is_dir():
        raise CommandFailed(f"There is no folder {destination.absolute().parent}. Create it first.")
    asyncio.run(backup_file(config.catalogue_path, destination))
    print(f"Copied the catalogue to {destination}.")
    return 0


def _require_catalogue(config: Config) -> None:
    if not config.catalogue_path.exists():
        raise CommandFailed(f"There is no catalogue at {config.catalogue_path}. Is data_dir correct?")


async def _rebuild(config: Config) -> int:
    store = open_store(config.store, config.data_dir)
    try:
        await store.start()
        recovery = Recovery(store, config.spool_dir, config.sidecars_dir)
        is_watched = sys.stderr.isatty()
        total = await recovery.count() if is_watched else None
        with tqdm(total=total, unit=" images", disable=not is_watched) as bar:
            count = await write_catalogue(
                _some(recovery.images()),
                config.catalogue_path,
                lambda done: _show(bar, done),
                recovery.albums(),
            )
        async with Merging(config.catalogue_path) as merging:
            count -= await in_batches(recovery.tombstones(), merging.bury)
        await asyncio.to_thread(recovery.adopt)
    finally:
        await store.close()
    kept = _keep_replaced(config.catalogue_path)
    print(f"The catalogue now has {count} images." + (f" The old one is {kept}." if kept else ""))
    return _tell(recovery.unreadable)


def _show(bar: "tqdm[Never]", done: int) -> None:
    bar.update(done - bar.n)


async def _some(images: AsyncIterator[Image]) -> AsyncIterator[Image]:
    """The same, but no image at all is a mistake: a wrong bucket must not empty a catalogue."""
    is_empty = True
    async for image in images:
        is_empty = False
        yield image
    if is_empty:
        raise CommandFailed("No images were found in the store. Is it the right one? The catalogue was not changed.")


def _keep_replaced(catalogue: Path) -> Path | None:
    """Gives the old file a name that the next rebuild does not take."""
    replaced = catalogue.with_name(f"{catalogue.name}.replaced")
    if not replaced.exists():
        return None
    kept = catalogue.with_name(f"{catalogue.name}.before-rebuild-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    log = replaced.with_name(f"{replaced.name}-wal")
    if log.exists():
        log.rename(kept.with_name(f"{kept.name}-wal"))
    return replaced.rename(kept)


def _tell(unreadable: list[str]) -> int:
    for line in unreadable[:MOST_TOLD]:
        print(f"appliance: left out: {line}", file=sys.stderr)
    if len(unreadable) > MOST_TOLD:
        print(f"appliance: and {len(unreadable) - MOST_TOLD} others were left out", file=sys.stderr)
    return int(bool(unreadable))
