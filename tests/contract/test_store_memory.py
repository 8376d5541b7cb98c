"""A large object never passes through memory: neither when it is put, nor fetched, nor read."""

import resource
import sys
from pathlib import Path

import pytest

from tests.support.servers import Server
from tests.support.stores import store_on

MIB = 1024 * 1024
SIZE = 1024 * MIB
LIMIT = 64 * MIB


def resident_bytes() -> int:
    """The most memory that this process ever held; it only grows."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.long
async def test_a_gigabyte_grows_the_process_by_less_than_its_budget(minio: Server, tmp_path: Path) -> None:
    store = store_on(minio)
    await store.start()
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(SIZE)
    await store.put_bytes("originals/memory", b"warm", media_type="image/tiff")
    before = resident_bytes()
    await store.put("originals/memory", path, media_type="image/tiff", metadata={})
    await store.fetch("originals/memory", tmp_path / "fetched")
    async with await store.open("originals/memory") as reader:
        read = sum([len(chunk) async for chunk in reader])
    grown = resident_bytes() - before
    print(f"put, fetch and read of {SIZE // MIB} MiB: grew by {grown / MIB:.1f} MiB")
    assert read == (tmp_path / "fetched").stat().st_size == SIZE
    assert grown < LIMIT
    await store.delete("originals/memory")
    await store.close()
