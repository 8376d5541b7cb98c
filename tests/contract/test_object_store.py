"""The contract of `ObjectStore`, run against every store that is one."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.domain.errors import ObjectMissing
from appliance.objectstore import ObjectStore

JPEG = "image/jpeg"


async def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    async with await store.open(key, start, length) as reader:
        data = b"".join([chunk async for chunk in reader])
        assert len(data) == reader.size
        return data


async def keys(store: ObjectStore, prefix: str, after: str = "") -> list[str]:
    return [entry.key async for entry in store.list(prefix, after)]


def sparse(path: Path, size: int) -> Path:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # other threads close theirs meanwhile
            if link.readlink() == path:
                return True
    return False


async def cancelled_once(begun: Callable[[], bool], call: "asyncio.Task[None]") -> None:
    """Cancel a call while its bytes are on their way."""
    while not begun():
        assert not call.done(), "it ended before it could be cancelled"
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another filesystem than the directory store's, so that it copies instead of linking."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


async def test_an_object_that_was_put_can_be_read_whole(
    store: ObjectStore, prefix: str, original: Path, tmp_path: Path
) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    await store.fetch(prefix + "a", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == original.read_bytes() == await read(store, prefix + "a")


async def test_an_object_outlives_the_file_that_was_put(store: ObjectStore, prefix: str, original: Path) -> None:
    content = original.read_bytes()
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    original.unlink()
    assert await read(store, prefix + "a") == content


async def test_deleting_an_object_leaves_the_file_that_was_fetched(
    store: ObjectStore, prefix: str, original: Path, tmp_path: Path
) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    await store.fetch(prefix + "a", tmp_path / "fetched")
    await store.delete(prefix + "a")
    assert (tmp_path / "fetched").read_bytes() == original.read_bytes()


async def test_small_bytes_can_be_put_without_a_file(store: ObjectStore, prefix: str) -> None:
    await store.put_bytes(prefix + "a.json", b'{"a": 1}', media_type="application/json")
    assert await read(store, prefix + "a.json") == b'{"a": 1}'
    assert (await store.stat(prefix + "a.json")).media_type == "application/json"


async def test_an_empty_object_is_an_object(store: ObjectStore, prefix: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    await store.put(prefix + "a", tmp_path / "empty", media_type=JPEG, metadata={})
    assert await read(store, prefix + "a") == b""
    assert (await store.stat(prefix + "a")).bytes == 0


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (10, 5), (100, None), (10_000, 10_000)],
)
async def test_a_range_gives_its_bytes_cut_at_the_end(
    store: ObjectStore, prefix: str, original: Path, start: int, length: int | None
) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    expected = original.read_bytes()[start:][:length]
    assert await read(store, prefix + "a", start, length) == expected


@pytest.mark.parametrize(("start", "length"), [(-1, None), (0, 0), (0, -1), (10_240, None), (99_999, 5)])
async def test_a_range_without_bytes_is_the_callers_mistake(
    store: ObjectStore, prefix: str, original: Path, start: int, length: int | None
) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    with pytest.raises(ValueError, match=r"range|inside"):
        await store.open(prefix + "a", start, length)


async def test_stat_returns_size_time_type_and_metadata(store: ObjectStore, prefix: str, original: Path) -> None:
    os.utime(original, (1_000_000, 1_000_000))
    metadata = {"slug": "00AbC", "filename": "%C3%BC%20x.jpg", "token-hash": "a" * 64, "width": "12"}
    await store.put(prefix + "a", original, media_type="image/x-odd", metadata=metadata)
    info = await store.stat(prefix + "a")
    assert (info.key, info.bytes, info.media_type) == (prefix + "a", 10_240, "image/x-odd")
    assert dict(info.metadata) == metadata
    assert abs(info.modified_s - time.time()) < 3600  # when it was put, not what the file says


async def test_metadata_may_fill_its_limit_and_not_pass_it(store: ObjectStore, prefix: str, original: Path) -> None:
    room = 1792 - len("x-amz-meta-filename")
    await store.put(prefix + "a", original, media_type=JPEG, metadata={"filename": "x" * room})
    assert len((await store.stat(prefix + "a")).metadata["filename"]) == room
    with pytest.raises(ValueError, match="1792 is the limit"):
        await store.put(prefix + "b", original, media_type=JPEG, metadata={"filename": "x" * (room + 1)})


@pytest.mark.parametrize("metadata", [{"filename": "ü"}, {"filename": "a\r\nb"}, {"a b": "c"}, {"a": " b"}, {"a": ""}])
async def test_metadata_that_is_not_printable_ascii_is_refused(
    store: ObjectStore, prefix: str, original: Path, metadata: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        await store.put(prefix + "a", original, media_type=JPEG, metadata=metadata)


async def test_putting_again_replaces_bytes_and_metadata(
    store: ObjectStore, prefix: str, original: Path, tmp_path: Path
) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={"slug": "one", "width": "1"})
    (tmp_path / "second").write_bytes(b"second")
    await store.put(prefix + "a", tmp_path / "second", media_type="image/png", metadata={"slug": "two"})
    info = await store.stat(prefix + "a")
    assert (info.bytes, info.media_type, dict(info.metadata)) == (6, "image/png", {"slug": "two"})
    assert await read(store, prefix + "a") == b"second"


async def test_putting_the_same_file_twice_is_fine(store: ObjectStore, prefix: str, original: Path) -> None:
    for _ in range(2):
        await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    assert await read(store, prefix + "a") == original.read_bytes()
    assert await keys(store, prefix) == [prefix + "a"]


async def test_an_absent_object_is_missing_to_every_reader(store: ObjectStore, prefix: str, tmp_path: Path) -> None:
    for reading in (
        store.stat(prefix + "absent"),
        store.open(prefix + "absent"),
        store.open(prefix + "absent", 5, 5),
        store.fetch(prefix + "absent", tmp_path / "fetched"),
        store.stat(prefix.rstrip("/")),
    ):
        with pytest.raises(ObjectMissing):
            await reading
    assert list(tmp_path.glob("*fetched*")) + list(tmp_path.glob(".*")) == []


async def test_deleting_an_absent_object_is_not_an_error(store: ObjectStore, prefix: str) -> None:
    await store.delete(prefix + "absent")


async def test_a_deleted_object_is_gone_from_reading_and_listing(
    store: ObjectStore, prefix: str, original: Path
) -> None:
    for name in ("a", "b"):
        await store.put(prefix + name, original, media_type=JPEG, metadata={})
    await store.delete(prefix + "a")
    with pytest.raises(ObjectMissing):
        await store.open(prefix + "a")
    assert await keys(store, prefix) == [prefix + "b"]


async def test_a_listing_is_in_key_order_below_its_prefix(store: ObjectStore, prefix: str) -> None:
    names = ["B/x", "B/y", "B-1/z", "a/x", "a/b/c", "Z", "a.json"]
    for name in names:
        await store.put_bytes(prefix + name, b"12345", media_type=JPEG)
    assert await keys(store, prefix) == [prefix + name for name in sorted(names)]
    assert await keys(store, prefix + "B") == [prefix + name for name in ("B-1/z", "B/x", "B/y")]
    assert await keys(store, prefix, after=prefix + "B/x") == [prefix + name for name in sorted(names)[2:]]
    assert await keys(store, prefix + "nothing") == []
    assert {entry.bytes async for entry in store.list(prefix)} == {5}


async def test_a_listing_continues_past_a_page(store: ObjectStore, prefix: str) -> None:
    names = [f"{prefix}{number % 7}/{number:05d}" for number in range(1100)]
    for name in names[:7]:  # alone: rclone can lose an object whose new folder another request makes at the same time
        await store.put_bytes(name, b"x", media_type=JPEG)
    for start in range(7, len(names), 50):
        await asyncio.gather(*(store.put_bytes(name, b"x", media_type=JPEG) for name in names[start : start + 50]))
    assert await keys(store, prefix) == sorted(names)
    assert await keys(store, prefix, after=sorted(names)[1004]) == sorted(names)[1005:]


async def test_a_large_file_is_kept_bit_by_bit(store: ObjectStore, prefix: str, tmp_path: Path) -> None:
    block = os.urandom(1024 * 1024)
    path = tmp_path / "large"
    with path.open("wb") as file:
        for number in range(71):
            file.write(number.to_bytes(8, "big") + block[8:])
        file.write(b"tail")
    metadata = {"slug": "large", "width": "1"}
    await store.put(prefix + "a", path, media_type="image/tiff", metadata=metadata)
    info = await store.stat(prefix + "a")
    assert (info.bytes, info.media_type, dict(info.metadata)) == (71 * 2**20 + 4, "image/tiff", metadata)
    await store.fetch(prefix + "a", tmp_path / "fetched")
    with path.open("rb") as left, (tmp_path / "fetched").open("rb") as right:
        while chunk := left.read(2**20):
            assert right.read(2**20) == chunk
    assert await read(store, prefix + "a", 64 * 2**20 - 2, 4) == block[-2:] + (64).to_bytes(8, "big")[:2]


async def test_a_cancelled_put_is_over_when_it_ends_and_shows_nothing_of_the_object(
    store: ObjectStore, prefix: str, elsewhere: Path
) -> None:
    path = sparse(elsewhere / "large", 400 * 2**20)
    putting = asyncio.create_task(store.put(prefix + "a", path, media_type=JPEG, metadata={}))
    await cancelled_once(lambda: is_open(path), putting)
    assert not is_open(path), "something still reads the file"
    assert await keys(store, prefix) == []
    await store.put_bytes(prefix + "a", b"later", media_type=JPEG)
    assert await read(store, prefix + "a") == b"later"


async def test_a_cancelled_fetch_leaves_no_file(store: ObjectStore, prefix: str, elsewhere: Path) -> None:
    await store.put(prefix + "a", sparse(elsewhere / "large", 160 * 2**20), media_type=JPEG, metadata={})
    folder = elsewhere / "fetched"
    folder.mkdir()
    fetching = asyncio.create_task(store.fetch(prefix + "a", folder / "a"))
    await cancelled_once(lambda: any(folder.iterdir()), fetching)
    assert list(folder.iterdir()) == []


async def test_a_reader_that_is_left_early_does_no_harm(store: ObjectStore, prefix: str, original: Path) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    for _ in range(40):  # more than there are connections to leak
        async with await store.open(prefix + "a", 1) as reader:
            assert reader.size == 10_239
    assert await read(store, prefix + "a") == original.read_bytes()


async def test_a_range_from_the_beginning_of_an_empty_object_is_empty(store: ObjectStore, prefix: str) -> None:
    await store.put_bytes(prefix + "empty", b"", media_type=JPEG)
    assert await read(store, prefix + "empty", 0, 1000) == b""


async def test_putting_a_file_that_is_not_there_is_not_the_stores_fault(
    store: ObjectStore, prefix: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await store.put(prefix + "a", tmp_path / "absent", media_type=JPEG, metadata={})
    assert await keys(store, prefix) == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "ü", "a b", "a\x00b", "a\n", "x" * 513]
)
async def test_a_key_that_leads_elsewhere_is_refused(
    store: ObjectStore, key: str, original: Path, tmp_path: Path
) -> None:
    for calling in (
        store.put(key, original, media_type=JPEG, metadata={}),
        store.put_bytes(key, b"", media_type=JPEG),
        store.fetch(key, tmp_path / "fetched"),
        store.open(key),
        store.stat(key),
        store.delete(key),
    ):
        with pytest.raises(ValueError, match="not an object key"):
            await calling


async def test_starting_again_changes_nothing(store: ObjectStore, prefix: str, original: Path) -> None:
    await store.put(prefix + "a", original, media_type=JPEG, metadata={})
    await store.start()
    await store.check()
    assert await read(store, prefix + "a") == original.read_bytes()
