"""Ranges of files that become objects, in every store."""

from pathlib import Path

import pytest

from appliance.domain.errors import ObjectMissing
from appliance.objectstore import ObjectStore

MEDIA_TYPE = "application/octet-stream"


async def read(store: ObjectStore, key: str) -> bytes:
    async with await store.open(key) as reader:
        return b"".join([chunk async for chunk in reader])


async def test_a_range_of_a_file_is_stored_as_an_object(store: ObjectStore, prefix: str, original: Path) -> None:
    await store.put_range(f"{prefix}a", original, 256, 1000, media_type=MEDIA_TYPE)
    assert await read(store, f"{prefix}a") == original.read_bytes()[256:1256]
    assert (await store.stat(f"{prefix}a")).media_type == MEDIA_TYPE
    with original.open("ab") as file:  # it may grow, and change elsewhere
        file.write(b"more")
    await store.put_range(f"{prefix}a", original, 0, 10, media_type=MEDIA_TYPE)
    assert await read(store, f"{prefix}a") == original.read_bytes()[:10]


async def test_a_range_that_the_file_does_not_have_is_not_stored(
    store: ObjectStore, prefix: str, original: Path
) -> None:
    size = original.stat().st_size
    with pytest.raises(OSError, match="too soon"):
        await store.put_range(f"{prefix}a", original, size - 5, 6, media_type=MEDIA_TYPE)
    with pytest.raises(FileNotFoundError):
        await store.put_range(f"{prefix}a", original.with_name("absent"), 0, 1, media_type=MEDIA_TYPE)
    with pytest.raises(ValueError, match="range"):
        await store.put_range(f"{prefix}a", original, 0, 0, media_type=MEDIA_TYPE)
    with pytest.raises(ObjectMissing):
        await store.stat(f"{prefix}a")
