"""`appliance catalogue rebuild`, `check` and `backup`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from tqdm import tqdm

from appliance.catalogue.opening import FILE_NAME, CatalogueFile, catalogue_file, copy_to_file, stored_catalogue
from appliance.commands.merge import in_batches
from appliance.commands.recovered_catalogue import recovering
from appliance.commands.recovery import Recovery
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.domain.model import Image
from appliance.objectstore import open_store
from appliance.server.data_dir_lock import owned_data_dir

MAX_LINES = 20


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """What was rebuilt; `replaced` is the file that it replaced, if any."""

    recovery: Recovery
    images: int
    replaced: CatalogueFile | None


def rebuild(config: Config) -> int:
    """Writes a new catalogue from the store and the spool: to a file, of which the old one is kept next to it, or to an
    empty database.

    Exit status 1 if an object describes no image; the other images are in the catalogue then. Raises
    DataDirectoryLocked while a server runs, and StoreUnavailable or CommandFailed with the old catalogue untouched.
    """
    with owned_data_dir(config):
        if config.catalogue.url is None:
            rebuilt = asyncio.run(_rebuild(config, catalogue_file(config)))
            rebuilt.recovery.adopt()
        else:
            with recovering(config) as place:
                file = CatalogueFile(place.folder / FILE_NAME)
                rebuilt = asyncio.run(_rebuild(config, file))
                place.put_in_place(file, rebuilt.recovery.adopt)
        old = f" The old one is {rebuilt.replaced}." if rebuilt.replaced else ""
        print(f"The catalogue now has {rebuilt.images} images.{old}")
        return _report(rebuilt.recovery.unreadable)


def check(config: Config) -> int:
    """Prints a line for each problem; exit status 1 if there is one. Only reads, so a server may run."""
    catalogue = stored_catalogue(config)
    catalogue.require_present()
    problems = asyncio.run(catalogue.find_problems())
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{catalogue} is intact.")
    return int(bool(problems))


def backup(config: Config, destination: Path) -> int:
    """Writes a checked copy to `destination`. Only reads, so a server may run. Raises CommandFailed."""
    stored_catalogue(config).require_present()
    if destination.exists():
        raise CommandFailed(f"{destination} already exists. Choose a different file.")
    if not destination.absolute().parent.is_dir():
        raise CommandFailed(f"There is no folder {destination.absolute().parent}. Create it first.")
    asyncio.run(copy_to_file(config, destination))
    print(f"Copied the catalogue to {destination}.")
    return 0


async def _rebuild(config: Config, catalogue: CatalogueFile) -> _Rebuilt:
    store = open_store(config.store, config.data_dir)
    try:
        await store.start()
        recovery = Recovery(store, config.spool_dir, config.sidecars_dir)
        images, replaced = await _write_images(recovery, catalogue)
        async with catalogue.merge() as merge:
            images -= await in_batches(recovery.tombstones(), merge.add_tombstones)
            await merge.end_images(recovery.in_bin)
            await in_batches(recovery.access_records(), merge.upsert_records)
            await merge.recount()
    finally:
        await store.close()
    return _Rebuilt(recovery, images, replaced)


async def _write_images(recovery: Recovery, catalogue: CatalogueFile) -> tuple[int, CatalogueFile | None]:
    is_watched = sys.stderr.isatty()
    total = await recovery.count() if is_watched else None
    with tqdm(total=total, unit=" images", disable=not is_watched) as bar:
        return await catalogue.rebuild(
            _require_any(recovery.images()), recovery.albums(), lambda count: _show(bar, count)
        )


def _show(bar: "tqdm[Never]", count: int) -> None:
    bar.update(count - bar.n)


async def _require_any(images: AsyncIterator[Image]) -> AsyncIterator[Image]:
    """The same images. Raises CommandFailed if there are none: a wrong bucket must not empty a catalogue."""
    is_empty = True
    async for image in images:
        is_empty = False
        yield image
    if is_empty:
        raise CommandFailed("No images were found in the store. Is it the right one? The catalogue was not changed.")


def _report(unreadable: list[str]) -> int:
    for line in unreadable[:MAX_LINES]:
        print(f"appliance: left out: {line}", file=sys.stderr)
    if len(unreadable) > MAX_LINES:
        print(f"appliance: and {len(unreadable) - MAX_LINES} others were left out", file=sys.stderr)
    return int(bool(unreadable))
