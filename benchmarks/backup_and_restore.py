"""How long do backup, verification and restore of a catalogue of a million rows take?

The originals are hard links to a few files, so that only their number counts. Some thousands of them were uploaded
after the backup, so that the restore has to read them back from the store.
`python -m benchmarks.backup_and_restore [ROWS]`; a MinIO for the last row is named by MINIO_BIN.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME, catalogue_file
from appliance.config.model import Config
from appliance.domain.model import Album, Image
from appliance.domain.slugs import object_key, shard
from appliance.objectstore import DirectoryStore, MinioStore
from appliance.objectstore.records import metadata_of
from benchmarks.harness import report
from benchmarks.inputs.catalogue_rows import A_MINUTE, BYTES, created_at, images
from tests.support.programs import find_minio
from tests.support.servers import minio_server

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
LATER = 5_000
LINKS = 30_000  # of one file; ext4 takes 65,000
LISTED = 10_000
NOW_S = 1_790_000_000


class Originals:
    """Files of the directory store, made without it: links to one file, and to the next when that has enough."""

    def __init__(self, root: Path, spare: Path) -> None:
        self._root, self._spare, self._count = root, spare, 0

    def add(self, slug: str) -> None:
        source = self._spare / str(self._count // LINKS)
        if self._count % LINKS == 0:
            source.write_bytes(bytes(BYTES))
        path = self._root / object_key(slug)
        if self._count % A_MINUTE == 0 or not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, path)
        self._count += 1


async def filled(config: Config, spare: Path) -> None:
    store = DirectoryStore(config.store_dir)
    await store.start()
    await store.close()
    originals = Originals(config.store_dir / "objects", spare)

    async def all_of_them() -> AsyncIterator[Image]:
        for image in images(ROWS, NOW_S):
            originals.add(image.slug)
            yield image

    await catalogue_file(config).rebuild(all_of_them(), no_albums(), lambda _count: None)


async def no_albums() -> AsyncIterator[Album]:
    return
    yield


async def uploaded_later(config: Config, spare: Path) -> None:
    store = DirectoryStore(config.store_dir)
    picture = spare / "later"
    picture.write_bytes(bytes(BYTES))
    try:
        for image in images(LATER, created_at(ROWS, NOW_S) + 60):
            await store.put(object_key(image.slug), picture, media_type=image.media_type, metadata=metadata_of(image))
    finally:
        await store.close()


def command(config: Config, backups: Path, *arguments: str) -> tuple[float, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    environment |= {
        "APPLIANCE_DATA_DIR": str(config.data_dir),
        "APPLIANCE_BACKUP_DIRECTORY": str(backups),
        "APPLIANCE_BACKUP_IN_STORE": "false",
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"appliance {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return seconds, done.stdout


async def listed(folder: Path) -> list[tuple[float, int]]:
    """Seconds for listing what is in a real MinIO, and how much that was: all of it, and the last tenth."""
    with minio_server(folder) as server:
        store = MinioStore(
            endpoint=server.endpoint,
            bucket="images",
            access_key=server.access_key,
            secret_key=server.secret_key,
            journal=folder / "journal",
            secure=False,
        )
        await store.start()
        keys = [object_key(image.slug) for image in images(LISTED, NOW_S)]
        at_once = asyncio.Semaphore(16)

        async def put(key: str) -> None:
            async with at_once:
                await store.put_bytes(key, bytes(BYTES), media_type="image/jpeg")

        await asyncio.gather(*map(put, keys))
        found = []
        for after in ("", f"originals/{shard(created_at(LISTED * 9 // 10, NOW_S))}"):
            began = time.monotonic()
            count = len([entry async for entry in store.list("originals/", after)])
            found.append((time.monotonic() - began, count))
        await store.close()
        return found


def row(step: str, seconds: float, count: int) -> tuple[str, str, str]:
    return step, f"{seconds:.1f}", f"{seconds / count * 1_000_000:.1f}"


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory(prefix="appliance-restore-") as name:
        folder = Path(name)
        config = Config(data_dir=folder / "data")
        backups, spare = folder / "backups", folder / "spare"
        for path in (config.data_dir, backups, spare):
            path.mkdir()
        asyncio.run(filled(config, spare))
        size = (config.data_dir / FILE_NAME).stat().st_size
        rows.append(row("appliance backup, to a folder", command(config, backups, "backup")[0], ROWS))
        rows.append(row("appliance verify", command(config, backups, "verify")[0], ROWS))
        asyncio.run(uploaded_later(config, spare))
        (config.data_dir / FILE_NAME).rename(folder / "lost.sqlite")
        alone, _ = command(config, backups, "restore", "--backup-alone")
        rows.append(row("appliance restore --backup-alone", alone, ROWS))
        (config.data_dir / FILE_NAME).unlink()
        seconds, said = command(config, backups, "restore")
        assert f"{LATER} uploads" in said, said
        rows.append(row(f"appliance restore, with {LATER:,} uploads of later", seconds, ROWS))
        if find_minio() is not None:
            for took, count in asyncio.run(listed(folder / "minio")):
                rows.append(row(f"listing {count:,} keys of {LISTED:,} in a MinIO, four drives", took, count))
    report(
        "backup_and_restore",
        f"How long does it take to back up and restore {ROWS:,} rows ({size / 1e6:.0f} MB)?",
        ("step", "s", "s per million rows"),
        rows,
    )


if __name__ == "__main__":
    main()
