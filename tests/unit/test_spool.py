"""The spool on a real disk: what is kept, what is evicted, and what every kind of failure leaves (nothing)."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.errors import DiskFull, EmptyUpload, TooLarge
from appliance.spool import Spool, kept_metadata
from appliance.spool.room import Room
from appliance.spool.transfers import BUFFER_BYTES
from tests.support.spool import PLENTY, received, slug, stream


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    await spool.start()
    yield spool
    await spool.close()


BYTES = hashlib.sha256(b"bytes").hexdigest()


async def landed(spool: Spool, name: str, data: bytes = b"bytes") -> None:
    await spool.land(await received(spool, name, data), {"slug": name})


async def copied(spool: Spool, name: str, bytes_: int, used_s: float) -> None:
    """A copy that was used last at `used_s`."""
    await landed(spool, name, bytes(bytes_))
    os.utime(spool.landed_path(name), (used_s, used_s))
    await spool.release(name)


def files(root: Path, folder: str) -> list[str]:
    return sorted(path.name for path in (root / folder).iterdir())


# --- receiving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False])
async def test_what_is_received_is_whole_and_hashed_and_its_room_given_back(spool: Spool, announced: bool) -> None:
    data = os.urandom(2 * BUFFER_BYTES + 12_345)
    chunks = [data[start : start + 100_001] for start in range(0, len(data), 100_001)]
    incoming = await spool.receive(
        slug(1), stream(*chunks), announced_bytes=len(data) if announced else None, max_bytes=len(data)
    )
    assert incoming.path.read_bytes() == data
    assert (incoming.bytes, incoming.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert spool.room.promised_bytes == 0


@pytest.mark.parametrize("announced", [4 * BUFFER_BYTES, 1 << 30, None])
async def test_whatever_was_announced_no_more_is_promised_than_the_block_that_is_written(
    spool: Spool, announced: int | None
) -> None:
    promised = []

    async def watched() -> AsyncIterator[bytes]:
        for _ in range(4):
            promised.append(spool.room.promised_bytes)
            yield bytes(BUFFER_BYTES)

    await spool.receive(slug(1), watched(), announced_bytes=announced, max_bytes=PLENTY)
    assert promised[0] == 0
    assert max(promised) <= BUFFER_BYTES
    assert spool.room.promised_bytes == 0


async def test_a_stream_that_breaks_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(BUFFER_BYTES + 1)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await spool.receive(slug(1), breaking(), announced_bytes=3 * BUFFER_BYTES, max_bytes=PLENTY)
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


async def test_too_many_bytes_are_refused_by_their_announcement_or_as_they_come(spool: Spool, tmp_path: Path) -> None:
    for announced in (101, None, 50):
        with pytest.raises(TooLarge) as fault:
            await spool.receive(slug(1), stream(bytes(60), bytes(41)), announced_bytes=announced, max_bytes=100)
        assert (fault.value.limit, fault.value.actual) == (100, 101)
        assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


async def test_no_bytes_are_no_upload(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(EmptyUpload):
        await spool.receive(slug(1), stream(b""), announced_bytes=0, max_bytes=100)
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


async def test_an_upload_that_would_eat_the_reserve_is_refused_with_what_was_asked(tmp_path: Path) -> None:
    spool = Spool(tmp_path, budget_bytes=0, reserve_bytes=PLENTY * 1000)
    with pytest.raises(DiskFull) as fault:
        await received(spool, slug(1), bytes(100))
    assert (fault.value.limit, fault.value.actual) == (None, 100)
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)
    await spool.close()


async def test_a_disk_that_refuses_bytes_is_a_full_disk_and_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        real_open = Path.open
        patch.setattr(Path, "open", lambda *_how, **_more: real_open(Path("/dev/full"), "wb", buffering=0))
        with pytest.raises(DiskFull):
            await received(spool, slug(1), bytes(2 * BUFFER_BYTES))
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


async def test_a_cancelled_upload_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(BUFFER_BYTES)
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(spool.receive(slug(1), endless(), announced_bytes=9 * BUFFER_BYTES, max_bytes=PLENTY))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


async def test_an_impatient_cancellation_loses_no_room_either(spool: Spool, tmp_path: Path) -> None:
    task = asyncio.create_task(received(spool, slug(1), bytes(64 * BUFFER_BYTES)))
    while not spool.room.promised_bytes:  # noqa: ASYNC110 - the room tells nobody
        await asyncio.sleep(0)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    await spool.close()  # waits for the block that was being written
    await asyncio.sleep(0)
    assert (files(tmp_path, "incoming"), spool.room.promised_bytes) == ([], 0)


# --- landing ----------------------------------------------------------------------------------------------------------


async def test_a_landed_file_keeps_its_metadata(spool: Spool) -> None:
    metadata = {"slug": slug(1), "filename": "Gr%C3%BC%C3%9Fe.jpg", "expires": "1790000000"}
    await spool.land(await received(spool, slug(1), b"bytes"), metadata)
    assert kept_metadata(spool.landed_path(slug(1))) == metadata


async def test_a_file_without_metadata_or_with_rubbish_has_none(spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"bytes")
    assert kept_metadata(file) is None
    for rubbish in (b"{", b"\xff", b"[1]"):
        os.setxattr(file, "user.appliance", rubbish)
        assert kept_metadata(file) is None
    assert kept_metadata(tmp_path / "absent") is None


async def test_landing_where_the_disk_refuses_is_a_full_disk(spool: Spool, tmp_path: Path) -> None:
    incoming = await received(spool, slug(1), b"bytes")
    (tmp_path / "landed").rmdir()
    with pytest.raises(DiskFull):
        await spool.land(incoming, {})


async def test_a_discarded_file_is_gone_before_and_after_landing(spool: Spool, tmp_path: Path) -> None:
    await received(spool, slug(1), b"bytes")
    await landed(spool, slug(2))
    for number in (1, 2, 3):
        await spool.discard(slug(number))
    assert files(tmp_path, "incoming") == files(tmp_path, "landed") == []


# --- reading and copies -----------------------------------------------------------------------------------------------


async def test_an_original_opens_wherever_it_is_and_is_none_where_it_is_not(spool: Spool) -> None:
    assert await spool.originals.open(slug(1), None) is None
    await landed(spool, slug(1), b"bytes")
    for _ in range(2):
        with await spool.originals.open(slug(1), BYTES) or pytest.fail("not found") as file:
            assert file.read() == b"bytes"
        await spool.release(slug(1))


async def test_copies_are_kept_to_their_budget_longest_unused_first(spool: Spool, tmp_path: Path) -> None:
    for number in range(5):
        await copied(spool, slug(number), 200, used_s=1000 + number)
    assert len(files(tmp_path, "copies")) == 5
    await spool.touch(slug(0))
    await copied(spool, slug(5), 200, used_s=2000)
    assert files(tmp_path, "copies") == [slug(0), slug(2), slug(3), slug(4), slug(5)]
    assert spool.copies_bytes == 1000
    await copied(spool, slug(6), 401, used_s=3000)
    assert files(tmp_path, "copies") == [slug(0), slug(5), slug(6)]
    assert spool.copies_bytes == 801


async def test_what_has_landed_is_never_evicted(spool: Spool, tmp_path: Path) -> None:
    for number in range(3):
        await landed(spool, slug(number), bytes(900))
    await spool.trim(wanted_bytes=PLENTY * 1000)
    assert len(files(tmp_path, "landed")) == 3


async def test_copies_make_room_for_bytes_that_come_and_not_for_words(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await copied(spool, slug(1), 500, used_s=1000)
    await copied(spool, slug(2), 500, used_s=2000)
    free_when_empty = 1400

    def available(room: Room) -> int:
        held = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        return free_when_empty - held - room.promised_bytes

    monkeypatch.setattr(Room, "available_bytes", property(available))
    with pytest.raises(DiskFull):
        await spool.check_room(1500)
    await spool.check_room(1300)
    assert files(tmp_path, "copies") == [slug(1), slug(2)]
    await received(spool, slug(3), bytes(450))
    assert slug(1) not in files(tmp_path, "copies")


async def test_a_copy_that_is_a_link_to_the_stores_own_file_is_not_evicted_in_vain(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await landed(spool, slug(1), bytes(500))
    (tmp_path / "stored").hardlink_to(spool.landed_path(slug(1)))
    await spool.release(slug(1))
    monkeypatch.setattr(Room, "available_bytes", property(lambda _: 100))
    with pytest.raises(DiskFull):
        await spool.check_room(300)
    with pytest.raises(DiskFull):
        await received(spool, slug(2), bytes(300))
    assert files(tmp_path, "copies") == [slug(1)]


async def test_room_for_a_copy_is_given_back_whatever_happens(spool: Spool) -> None:
    with pytest.raises(ConnectionError):
        async with spool.room_for(5000):
            assert spool.room.promised_bytes == 5000
            raise ConnectionError
    with pytest.raises(DiskFull):
        async with spool.room_for(PLENTY * 1000):
            pass
    assert spool.room.promised_bytes == 0


async def test_copies_for_sizes_take_half_of_the_reserve_all_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=1000)
    monkeypatch.setattr(Room, "available_bytes", property(lambda room: -room.promised_bytes))  # the reserve is left
    with pytest.raises(DiskFull):
        async with spool.room_for(1):
            pass
    async with spool.room_for(250, of_reserve=True), spool.room_for(250, of_reserve=True):
        with pytest.raises(DiskFull):
            async with spool.room_for(1, of_reserve=True):
                pass
    async with spool.room_for(500, of_reserve=True):
        assert spool.room.promised_bytes == 500


async def test_an_original_leaves_every_folder(spool: Spool, tmp_path: Path) -> None:
    await landed(spool, slug(1))
    await copied(spool, slug(2), 5, used_s=1000)
    await landed(spool, slug(3))
    await spool.quarantine(slug(3))
    for number in (1, 2, 3, 4):
        await spool.remove(slug(number))
    assert [files(tmp_path, folder) for folder in ("landed", "copies", "orphans")] == [[], [], []]


# --- starting and sweeping --------------------------------------------------------------------------------------------


async def test_a_start_removes_what_is_half_there_and_counts_the_copies(spool: Spool, tmp_path: Path) -> None:
    await copied(spool, slug(1), 300, used_s=1000)
    await landed(spool, slug(2))
    await received(spool, slug(3), b"half")
    (tmp_path / "copies" / ".0123.part").write_bytes(b"half fetched")
    again = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    await again.start()
    assert (files(tmp_path, "incoming"), files(tmp_path, "copies")) == ([], [slug(1)])
    assert (again.copies_bytes, await again.landed_slugs()) == (300, [slug(2)])
    await again.close()


async def test_an_orphan_is_set_aside_and_dropped_when_it_is_old(spool: Spool, tmp_path: Path) -> None:
    await landed(spool, slug(1))
    await spool.quarantine(slug(1))
    await spool.quarantine(slug(2))  # gone already: fine
    assert (files(tmp_path, "landed"), files(tmp_path, "orphans")) == ([], [slug(1)])
    assert await spool.drop_orphans(older_than_s=60) == 0
    assert await spool.drop_orphans(older_than_s=-60) == 1
    assert files(tmp_path, "orphans") == []


async def test_young_landed_files_are_left_to_their_uploads(spool: Spool) -> None:
    await landed(spool, slug(1))
    assert await spool.landed_slugs(older_than_s=60) == []
    assert await spool.landed_slugs(older_than_s=-60) == [slug(1)]


async def test_stalled_bytes_are_dropped_but_never_under_a_transfer(spool: Spool, tmp_path: Path) -> None:
    await received(spool, slug(1), b"nobody accepts it")
    dropped: list[object] = []

    async def slow() -> AsyncIterator[bytes]:
        yield b"slow"
        dropped.append(await spool.drop_stalled(older_than_s=-60))
        dropped.append(files(tmp_path, "incoming"))
        yield b" but alive"

    incoming = await spool.receive(slug(2), slow(), announced_bytes=None, max_bytes=100)
    assert dropped == [1, [slug(2)]]
    assert incoming.path.read_bytes() == b"slow but alive"


async def test_a_file_whose_row_is_being_committed_is_never_a_stray(spool: Spool) -> None:
    with spool.landing(slug(1)):
        with spool.landing(slug(1)):
            await landed(spool, slug(1))
        assert await spool.landed_slugs(older_than_s=-60) == []
    assert await spool.landed_slugs(older_than_s=-60) == [slug(1)]


async def test_a_file_that_was_set_aside_can_be_moved_back(spool: Spool, tmp_path: Path) -> None:
    await landed(spool, slug(1))
    await spool.quarantine(slug(1))
    assert await spool.bring_back(slug(1))
    assert not await spool.bring_back(slug(1))
    assert (files(tmp_path, "landed"), files(tmp_path, "orphans")) == ([slug(1)], [])
