"""What goes wrong between us and a store: always StoreUnavailable in words, and over when the store is back."""

import asyncio
import errno
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from appliance.config.model import Store
from appliance.domain.errors import ConfigError, ObjectMissing, StoreUnavailable
from appliance.objectstore import DirectoryStore, MinioStore, files, open_store
from appliance.objectstore.multipart import MAX_OBJECT_BYTES, spans
from tests.support.programs import free_port
from tests.support.servers import Server, minio_server
from tests.support.stores import store_on

JPEG = "image/jpeg"
MIB = 1024 * 1024


@pytest.fixture
def own_minio(tmp_path: Path) -> Iterator[Server]:
    with minio_server(tmp_path / "minio") as server:
        yield server


async def until_served(store: MinioStore, key: str) -> int:
    """MinIO may deny a live object, or itself, for some seconds after its start."""
    for _ in range(600):
        try:
            return (await store.stat(key)).bytes
        except (StoreUnavailable, ObjectMissing):
            await asyncio.sleep(0.1)
    raise AssertionError("the store did not heal")


async def test_an_unreachable_server_is_explained_and_recovers(own_minio: Server, original: Path) -> None:
    store = store_on(own_minio)
    await store.start()
    await store.put("a", original, media_type=JPEG, metadata={})
    own_minio.stop()
    for calling in (
        store.check(),
        store.start(),
        store.stat("a"),
        store.open("a"),
        store.delete("a"),
        store.put("b", original, media_type=JPEG, metadata={}),
        store.put_bytes("b", b"b", media_type=JPEG),
        store.fetch("a", original.with_name("fetched")),
        anext(aiter(store.list(""))),
    ):
        with pytest.raises(StoreUnavailable, match="isn't running there"):
            await calling
    own_minio.start()
    assert await until_served(store, "a") == 10_240
    await store.put("b", original, media_type=JPEG, metadata={})
    await store.close()


async def test_a_server_killed_under_a_large_put_shows_nothing_of_it(own_minio: Server, tmp_path: Path) -> None:
    store = store_on(own_minio)
    await store.start()
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(600 * MIB)
    await store.put_bytes("small", b"small", media_type=JPEG)
    putting = asyncio.create_task(store.put("large", path, media_type=JPEG, metadata={}))
    await asyncio.sleep(0.5)
    own_minio.stop()
    with pytest.raises(StoreUnavailable):
        await putting
    own_minio.start()
    await until_served(store, "small")
    with pytest.raises(ObjectMissing):
        await store.stat("large")
    await store.put("large", path, media_type=JPEG, metadata={})
    assert (await store.stat("large")).bytes == 600 * MIB
    await store.close()


async def test_a_server_that_dies_under_a_reader_is_a_fault_and_never_a_short_file(
    own_minio: Server, tmp_path: Path
) -> None:
    store = store_on(own_minio)
    await store.start()
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(60 * MIB)
    await store.put("large", path, media_type=JPEG, metadata={})
    reader = await store.open("large")
    assert len(await anext(aiter(reader))) <= 256 * 1024
    own_minio.stop()
    with pytest.raises(StoreUnavailable):
        async for _ in reader:
            pass
    await reader.aclose()
    await store.close()


@pytest.mark.long
async def test_a_server_that_hangs_is_given_up_after_the_read_timeout(own_minio: Server) -> None:
    store = store_on(own_minio)
    await store.start()
    own_minio.signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="in time"):
            await store.check()
    finally:
        own_minio.signal(signal.SIGCONT)
    await store.check()
    await store.close()


async def test_wrong_credentials_are_named(minio: Server, original: Path) -> None:
    store = store_on(minio, secret_key="not-the-secret-key")
    for calling in (
        store.start(),
        store.check(),
        store.stat("a"),
        store.open("a"),
        store.put("a", original, media_type=JPEG, metadata={}),
        anext(aiter(store.list(""))),
    ):
        with pytest.raises(StoreUnavailable, match="access key or secret key is wrong"):
            await calling
    await store.close()


async def test_a_missing_bucket_is_a_fault_and_no_missing_object(minio: Server, original: Path) -> None:
    store = store_on(minio, bucket="never-made")
    for calling in (
        store.check(),
        store.stat("a"),
        store.open("a"),
        store.delete("a"),
        store.put("a", original, media_type=JPEG, metadata={}),
        anext(aiter(store.list(""))),
    ):
        with pytest.raises(StoreUnavailable, match="no bucket never-made"):
            await calling
    await store.close()


async def test_start_makes_the_bucket_that_is_missing(minio: Server) -> None:
    store = store_on(minio, bucket="made-at-start")
    await store.start()
    await store.check()
    await store.close()


async def test_an_unknown_name_and_a_server_that_is_not_s3_are_distinguished(tmp_path: Path) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\nhello")
        await writer.drain()
        writer.close()

    odd_bucket = partial(MinioStore, bucket="images", access_key="a", secret_key="b" * 8, journal=tmp_path / "journal")
    unknown = odd_bucket(endpoint="store.invalid:9000")
    with pytest.raises(StoreUnavailable, match="its name doesn't resolve"):
        await unknown.check()
    await unknown.close()
    port = free_port()
    async with await asyncio.start_server(page, "127.0.0.1", port):
        odd = odd_bucket(endpoint=f"http://127.0.0.1:{port}")
        with pytest.raises(StoreUnavailable, match="gave an invalid answer"):
            await anext(aiter(odd.list("")))
        await odd.close()


async def test_a_full_disk_is_named(tmp_path: Path, original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = DirectoryStore(tmp_path / "store")
    await store.start()
    monkeypatch.setattr(files, "sync", no_room)
    with pytest.raises(StoreUnavailable, match="is full"):
        await store.put("a", original, media_type=JPEG, metadata={})
    monkeypatch.undo()
    with pytest.raises(ObjectMissing):
        await store.stat("a")
    assert list((tmp_path / "store" / "unfinished").iterdir()) == []
    await store.close()


async def test_where_files_cannot_be_linked_they_are_copied(
    tmp_path: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_filesystem(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", other_filesystem)
    store = DirectoryStore(tmp_path / "store")
    await store.start()
    await store.put("a", original, media_type=JPEG, metadata={})
    await store.fetch("a", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == original.read_bytes()
    assert {path.stat().st_nlink for path in (original, tmp_path / "fetched")} == {1}
    await store.close()


async def test_the_directory_store_shares_blocks_and_leaves_no_litter(tmp_path: Path, original: Path) -> None:
    root = tmp_path / "store"
    store = DirectoryStore(root)
    await store.start()
    for _ in range(2):
        await store.put("originals/0001/a", original, media_type=JPEG, metadata={})
    assert original.stat().st_nlink == 2
    await store.delete("originals/0001/a")
    assert sorted(path.name for path in root.rglob("*")) == ["attributes", "objects", "store-id", "unfinished"]
    await store.close()


@pytest.mark.parametrize("empty", [False, True])
async def test_a_directory_store_that_vanished_is_unavailable_and_never_created_again(
    tmp_path: Path, original: Path, empty: bool
) -> None:
    root = tmp_path / "store"
    store = DirectoryStore(root)
    await store.start()
    await store.put("originals/0001/a", original, media_type=JPEG, metadata={})
    root.rename(tmp_path / "elsewhere")
    if empty:
        root.mkdir()  # where a disk was mounted, its folder is left
    for refused in (
        store.start(),
        store.check(),
        store.delete("originals/0001/a"),
        store.stat("originals/0001/a"),
        store.put("originals/0001/b", original, media_type=JPEG, metadata={}),
        DirectoryStore(root).start(),
    ):
        with pytest.raises(StoreUnavailable):
            await refused
    if empty:
        root.rmdir()
    (tmp_path / "elsewhere").rename(root)
    await store.start()
    assert (await store.stat("originals/0001/a")).media_type == JPEG
    await store.close()


async def test_damaged_attributes_cost_no_other_object(tmp_path: Path, original: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    await store.start()
    await store.put("originals/0001/a", original, media_type=JPEG, metadata={"slug": "a"})
    (tmp_path / "store/attributes/originals/0001/a.json").write_bytes(b"")
    assert (await store.stat("originals/0001/a")).metadata == {}
    await store.close()


async def test_a_directory_store_that_was_not_started_says_what_is_missing(tmp_path: Path, original: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="is missing"):
        await store.check()
    with pytest.raises(StoreUnavailable):
        await store.put("a", original, media_type=JPEG, metadata={})
    await store.close()


@pytest.mark.parametrize("size", [64 * MIB + 1, 640_000 * MIB, 640_000 * MIB + 1, 5 * 1024**4, MAX_OBJECT_BYTES])
def test_parts_cover_the_file_within_the_limits_of_s3(size: int) -> None:
    parts = spans(size)
    assert len(parts) <= 10_000
    assert sum(length for _, length in parts) == size
    assert all(start + length == following for (start, length), (following, _) in pairwise(parts))
    assert max(length for _, length in parts) <= 5 * 1024**3


def test_the_configuration_chooses_the_store(tmp_path: Path) -> None:
    assert open_store(Store(), tmp_path).name == "directory"
    good = Store(kind="minio", endpoint="127.0.0.1:9000", access_key="a", secret_key="b")
    assert open_store(good, tmp_path).name == "minio"
    for change in ({"endpoint": None}, {"endpoint": "http://a/b/c"}, {"bucket": "Not A Bucket"}):
        with pytest.raises(ConfigError, match=r"store\.(endpoint|bucket)"):
            open_store(replace(good, **change), tmp_path)


async def test_a_directory_that_is_started_again_spares_what_is_on_its_way(tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / ".of-a-crash.part").write_bytes(b"half")
    store = DirectoryStore(tmp_path)
    try:
        await store.start()
        assert list(unfinished.iterdir()) == []
        (unfinished / ".under-way.part").write_bytes(b"half")
        await store.start()
        assert [path.name for path in unfinished.iterdir()] == [".under-way.part"]
    finally:
        await store.close()
