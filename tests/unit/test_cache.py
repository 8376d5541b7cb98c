"""The rendition cache on a real disk: what it keeps, in which order it forgets, and that its accounts are true."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.cache import ENTRY_OVERHEAD_BYTES, HEADER_BYTES, Cache, Rendition
from tests.support.spool import slug

KB = 1000


async def opened(root: Path, *, edition: str = "1", memory: int = 100 * KB, disk: int = 100 * KB) -> Cache:
    cache = Cache(root, edition=edition, memory_bytes=memory, disk_bytes=disk)
    await cache.start()
    return cache


async def counted(cache: Cache) -> Cache:
    """The same cache, once it knows what its disk holds."""
    await cache.settle()
    return cache


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[Cache]:
    cache = await opened(tmp_path)
    yield cache
    await cache.close()


@pytest.fixture
async def on_disk(tmp_path: Path) -> AsyncIterator[Cache]:
    """A cache without memory."""
    cache = await opened(tmp_path, memory=0)
    yield cache
    await cache.close()


async def admit(cache: Cache, number: int, name: str = "small.jpg", data: bytes = b"pixels") -> bool:
    ticket = cache.begin(slug(number))
    try:
        return await cache.admit(ticket, name, Rendition.of(data))
    finally:
        cache.end(ticket)


async def has(cache: Cache, number: int, name: str = "small.jpg") -> bool:
    return await cache.get(slug(number), name) is not None


def stored(root: Path) -> dict[str, Path]:
    """Every file of the cache by `slug/name`."""
    return {f"{path.parent.name}/{path.name}": path for path in root.rglob("*") if path.is_file()}


def disk_use(root: Path) -> int:
    return sum(path.stat().st_size for path in stored(root).values())


# --- keeping ----------------------------------------------------------------------------------------------------------


async def test_an_admitted_rendition_is_read_from_memory_and_from_disk(cache: Cache, tmp_path: Path) -> None:
    assert await admit(cache, 1, data=b"pixels")
    assert cache.peek(slug(1), "small.jpg") == Rendition.of(b"pixels")
    again = await opened(tmp_path)
    assert again.peek(slug(1), "small.jpg") is None
    assert await again.get(slug(1), "small.jpg") == Rendition.of(b"pixels")
    assert again.peek(slug(1), "small.jpg") == Rendition.of(b"pixels")
    await again.close()


async def test_what_is_known_of_a_rendition_is_read_from_disk_with_it(on_disk: Cache) -> None:
    known = replace(Rendition.of(b"pixels"), has_gain_map=True)
    ticket = on_disk.begin(slug(1))
    assert await on_disk.admit(ticket, "small.jpg", known)
    on_disk.end(ticket)
    assert await on_disk.get(slug(1), "small.jpg") == known


async def test_images_and_names_are_kept_apart(cache: Cache) -> None:
    await admit(cache, 1, "small.jpg", b"one")
    await admit(cache, 1, "small.webp", b"two")
    await admit(cache, 2, "small.jpg", b"three")
    assert await cache.names(slug(1)) == {"small.jpg", "small.webp"}
    assert await cache.names(slug(3)) == set()
    assert (await cache.get(slug(2), "small.jpg")) == Rendition.of(b"three")
    assert not await has(cache, 2, "small.webp")


async def test_the_same_name_again_replaces_the_first_and_is_counted_once(cache: Cache, tmp_path: Path) -> None:
    await admit(cache, 1, data=bytes(500))
    await admit(cache, 1, data=b"new")
    assert await cache.get(slug(1), "small.jpg") == Rendition.of(b"new")
    assert cache.memory_bytes == len(b"new") + ENTRY_OVERHEAD_BYTES
    assert cache.disk_bytes == disk_use(tmp_path) == len(b"new") + HEADER_BYTES


async def test_memory_stays_within_its_limit_and_forgets_the_longest_unused(tmp_path: Path) -> None:
    entry = 1000
    cache = await opened(tmp_path, memory=4 * entry)
    for number in range(4):
        await admit(cache, number, data=bytes(entry - ENTRY_OVERHEAD_BYTES))
    assert cache.memory_bytes == 4 * entry
    assert cache.peek(slug(0), "small.jpg")
    await admit(cache, 4, data=bytes(entry - ENTRY_OVERHEAD_BYTES))
    assert [bool(cache.peek(slug(number), "small.jpg")) for number in range(5)] == [True, False, True, True, True]
    assert cache.memory_bytes == 4 * entry
    await cache.close()


async def test_one_huge_rendition_does_not_empty_the_memory(tmp_path: Path) -> None:
    cache = await opened(tmp_path, memory=4000)
    await admit(cache, 1)
    await admit(cache, 2, data=bytes(1001))  # more than a quarter
    assert cache.peek(slug(1), "small.jpg")
    assert cache.peek(slug(2), "small.jpg") is None
    assert await has(cache, 2)
    await cache.close()


async def test_the_disk_stays_within_its_limit_and_forgets_exactly_the_longest_unused(tmp_path: Path) -> None:
    size = 1000
    cache = await opened(tmp_path, memory=0, disk=10 * size)
    for number in range(10):
        await admit(cache, number, data=bytes(size - HEADER_BYTES))
        os.utime(stored(tmp_path)[f"{slug(number)}/small.jpg"], (1000 + number, 1000 + number))
    assert cache.disk_bytes == 10 * size
    assert await has(cache, 0)  # a look at it is a use
    await admit(cache, 10, data=bytes(size - HEADER_BYTES))
    await cache.settle()
    await cache.close()
    assert sorted(stored(tmp_path)) == [f"{slug(number)}/small.jpg" for number in (0, 3, 4, 5, 6, 7, 8, 9, 10)]
    assert cache.disk_bytes == disk_use(tmp_path) == 9 * size  # below 95 %, so that not every admission trims


async def test_a_disk_that_takes_nothing_leaves_the_memory(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "1" / slug(1)[-2:]).touch()  # where a folder would be
    assert await admit(cache, 1)
    assert cache.peek(slug(1), "small.jpg")
    assert cache.disk_bytes == 0


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["torn", "truncated", "flipped", "emptied", "foreign"])
async def test_a_damaged_file_is_a_miss_and_is_removed(on_disk: Cache, tmp_path: Path, damage: str) -> None:
    await admit(on_disk, 1, data=bytes(range(256)) * 8)
    path = stored(tmp_path)[f"{slug(1)}/small.jpg"]
    raw = path.read_bytes()
    flipped = bytearray(raw)
    flipped[1000] ^= 1
    wrong = {
        "torn": raw[:1000] + bytes(len(raw) - 1000),
        "truncated": raw[:-1],
        "flipped": bytes(flipped),
        "emptied": b"",
        "foreign": b"\xff\xd8\xff" + raw[3:],
    }
    path.write_bytes(wrong[damage])
    assert not await has(on_disk, 1)
    assert not path.exists()
    assert await on_disk.sizes(slug(1)) == {}
    assert await admit(on_disk, 1)
    assert await has(on_disk, 1)


async def test_every_single_flipped_bit_is_noticed(on_disk: Cache, tmp_path: Path) -> None:
    await admit(on_disk, 1, data=b"pix")
    path = stored(tmp_path)[f"{slug(1)}/small.jpg"]
    raw = path.read_bytes()
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert not await has(on_disk, 1), f"bit {bit}"


# --- evicting ---------------------------------------------------------------------------------------------------------


async def test_an_evicted_image_is_in_no_layer_and_others_are_untouched(cache: Cache, tmp_path: Path) -> None:
    for name in ("small.jpg", "large.webp"):
        await admit(cache, 1, name)
    await admit(cache, 2)
    await cache.evict(slug(1))
    assert not await has(cache, 1)
    assert not await has(cache, 1, "large.webp")
    assert list(stored(tmp_path)) == [f"{slug(2)}/small.jpg"]
    assert (cache.memory_bytes, cache.disk_bytes) == (6 + ENTRY_OVERHEAD_BYTES, disk_use(tmp_path))


async def test_an_eviction_takes_away_the_tickets_that_were_drawn_before_it(cache: Cache, tmp_path: Path) -> None:
    before, other = cache.begin(slug(1)), cache.begin(slug(2))
    await cache.evict(slug(1))
    after = cache.begin(slug(1))
    assert not await cache.admit(before, "small.jpg", Rendition.of(b"late"))
    assert not await has(cache, 1)
    assert await cache.admit(other, "small.jpg", Rendition.of(b"other"))
    assert await cache.admit(after, "small.jpg", Rendition.of(b"new"))
    for ticket in (before, other, after):
        cache.end(ticket)
    assert len(stored(tmp_path)) == 2


async def test_an_eviction_beats_an_admission_that_is_being_written(cache: Cache, tmp_path: Path) -> None:
    for _ in range(20):
        admission = asyncio.ensure_future(admit(cache, 1, data=bytes(50 * KB)))
        await asyncio.sleep(0)  # it draws its ticket and begins to write
        await cache.evict(slug(1))
        await admission
        assert not await has(cache, 1)
        assert stored(tmp_path) == {}
    assert (cache.memory_bytes, cache.disk_bytes) == (0, 0)


async def test_an_eviction_beats_a_look_that_reads_the_disk(cache: Cache, tmp_path: Path) -> None:
    await admit(cache, 1, data=bytes(10 * KB))
    again = await opened(tmp_path)
    look = asyncio.ensure_future(again.get(slug(1), "small.jpg"))
    await asyncio.sleep(0)
    await again.evict(slug(1))
    await look
    assert again.peek(slug(1), "small.jpg") is None
    await again.close()


async def test_what_is_admitted_while_the_disk_is_read_is_found(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it would be made a second time."""
    read = cache._disk.get

    async def slowly(slug: str, name: str) -> Rendition | None:
        found = await read(slug, name)
        await admit(cache, 1)
        return found

    monkeypatch.setattr(cache._disk, "get", slowly)
    assert await has(cache, 1)


# --- starting ---------------------------------------------------------------------------------------------------------


async def test_a_start_counts_what_is_there_and_removes_other_editions_and_drafts(tmp_path: Path) -> None:
    old = await opened(tmp_path, edition="1")
    await admit(old, 1)
    await old.close()
    new = await opened(tmp_path, edition="2")
    await admit(new, 2, data=bytes(100))
    await new.close()
    draft = stored(tmp_path)[f"{slug(2)}/small.jpg"].with_name(".0123456789abcdef")
    draft.write_bytes(b"half")
    os.utime(draft, (1000, 1000))
    again = await counted(await opened(tmp_path, edition="2"))
    await again.close()
    assert list(stored(tmp_path)) == [f"{slug(2)}/small.jpg"]
    assert again.disk_bytes == disk_use(tmp_path) == 100 + HEADER_BYTES


async def test_what_is_admitted_during_the_count_is_counted_once(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    for number in range(30):
        await admit(first, number, data=bytes(1000))
    await first.close()
    again = await opened(tmp_path)  # counts in the background
    for number in range(20, 40):
        await admit(again, number, data=bytes(2000))
    await again.evict(slug(35))
    await (await counted(again)).close()
    assert len(stored(tmp_path)) == 39
    assert again.disk_bytes >= disk_use(tmp_path)  # too tight a bound does no harm, too wide a one does


# --- accounts ---------------------------------------------------------------------------------------------------------

MEMORY, DISK = 6000, 9000
NUMBERS, NAMES = st.integers(0, 5), st.sampled_from(["small.jpg", "large.webp"])
OPERATIONS = st.one_of(
    st.tuples(st.just("admit"), NUMBERS, NAMES, st.integers(0, 3000)),
    st.tuples(st.just("get"), NUMBERS, NAMES, st.just(0)),
    st.tuples(st.just("evict"), NUMBERS, NAMES, st.just(0)),
    st.tuples(st.just("damage"), NUMBERS, NAMES, st.integers(0, 1)),
    st.tuples(st.just("reopen"), NUMBERS, NAMES, st.just(0)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPERATIONS, max_size=40))
def test_the_accounts_are_true_after_any_operations(operations: list[tuple[str, int, str, int]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_holds(Path(folder), operations))


async def test_the_accounts_are_true_after_work_at_the_same_time(tmp_path: Path) -> None:
    cache = await opened(tmp_path, memory=0, disk=20 * KB)
    for _ in range(5):
        admissions = [admit(cache, number, data=bytes(KB)) for number in range(40)]
        await asyncio.gather(*admissions, *(cache.evict(slug(number)) for number in range(0, 40, 3)), cache.trim())
    await cache.close()
    assert cache.disk_bytes == disk_use(tmp_path)


async def _holds(root: Path, operations: list[tuple[str, int, str, int]]) -> None:
    cache = await opened(root, memory=MEMORY, disk=DISK)
    known: dict[tuple[int, str], bytes] = {}
    for operation, number, name, amount in operations:
        if operation == "admit":
            known[number, name] = os.urandom(amount)
            await admit(cache, number, name, known[number, name])
        elif operation == "get":
            found = await cache.get(slug(number), name)
            assert found is None or found.data == known[number, name]
        elif operation == "evict":
            await cache.evict(slug(number))
            assert not await has(cache, number, name)
        elif operation == "damage":
            _damage(stored(root).get(f"{slug(number)}/{name}"), amount)
        else:
            await cache.close()
            cache = await opened(root, memory=MEMORY, disk=DISK)
        assert cache.memory_bytes <= MEMORY
    await (await counted(cache)).trim()
    await cache.close()
    assert cache.disk_bytes >= disk_use(root)
    assert cache.disk_bytes <= DISK
    if "reopen" not in [operation for operation, *_ in operations]:  # a count that is under way may count twice
        assert cache.disk_bytes == disk_use(root)


def _damage(path: Path | None, kept: int) -> None:
    """Flip a byte; the length stays, as after rot."""
    if path is not None:
        raw = path.read_bytes()
        with path.open("r+b") as file:  # in place: a count that is under way sees no shorter file
            file.write(raw[:-1] + bytes([raw[-1] ^ 0xFF]) if kept else bytes(len(raw)))
