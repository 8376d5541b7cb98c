"""Multipart uploads to a real S3 server: continued where an attempt ended, and never in the way of small objects."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.errors import StoreUnavailable
from appliance.objectstore import MinioStore, multipart
from appliance.objectstore.bucket import Bucket
from appliance.objectstore.multipart import THREADS
from appliance.objectstore.multipart_requests import MultipartRequests, StoredPart
from tests.contract.conftest import S3_KINDS, store_on
from tests.servers import Server

TIFF = "image/tiff"
METADATA = {"slug": "a-slug"}
PART = 5 * 1024 * 1024  # the smallest that S3 takes
PARTS = 6


@dataclass
class Sent:
    """Counts the parts that are sent, and can hold the next ones or break the way off."""

    parts: list[tuple[str, int]] = field(default_factory=list)
    breaks_at: int | None = None
    free: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        real = MultipartRequests.put_part
        self.free.set()

        def put_part(requests: MultipartRequests, key: str, upload: str, number: int, body: Any) -> str:
            self.begun.release()
            self.free.wait(20)
            if number == self.breaks_at:
                raise StoreUnavailable("The way broke off.")
            tag = real(requests, key, upload, number, body)
            self.parts.append((key, number))
            return tag

        patch.setattr(MultipartRequests, "put_part", put_part)


@dataclass
class Way:
    """A file of six parts, the last of them short, and its way into a store under `key`."""

    server: Server
    store: MinioStore
    file: Path
    key: str
    sent: Sent

    async def put(self, key: str | None = None, store: MinioStore | None = None) -> None:
        await (store or self.store).put(key or self.key, self.file, media_type=TIFF, metadata=METADATA)

    async def break_off(self, at: int = 4) -> int:
        """How many parts an attempt brought before it failed."""
        self.sent.breaks_at = at
        with pytest.raises(StoreUnavailable):
            await self.put()
        self.sent.breaks_at = None
        brought = len(self.sent.parts)
        assert 0 < brought < PARTS
        self.sent.parts.clear()
        return brought

    @property
    def unfinished(self) -> list[str]:
        return self.store._multipart.requests.unfinished(self.key)

    async def is_whole(self) -> bool:
        fetched = self.file.with_name("fetched")
        await self.store.fetch(self.key, fetched)
        info = await self.store.stat(self.key)
        return fetched.read_bytes() == self.file.read_bytes() and dict(info.metadata) == METADATA


@pytest.fixture(params=S3_KINDS)
async def way(
    request: pytest.FixtureRequest, tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Way]:
    monkeypatch.setattr(multipart, "PART_BYTES", PART)
    sent = Sent()
    sent.watch(monkeypatch)
    file = tmp_path / "giant"
    file.write_bytes(os.urandom(PART * (PARTS - 1) + 1000))
    server = request.getfixturevalue(request.param)
    store = store_on(server)
    await store.start()
    yield Way(server, store, file, prefix + "giant", sent)
    await store.close()


async def test_a_put_that_broke_off_goes_on_with_the_parts_that_the_store_has(way: Way) -> None:
    brought = await way.break_off()
    await way.put()
    assert len(way.sent.parts) == PARTS - brought
    assert await way.is_whole()
    assert way.unfinished == []


async def test_another_process_goes_on_too(way: Way) -> None:
    brought = await way.break_off()
    again = store_on(way.server)
    await way.put(store=again)
    await again.close()
    assert len(way.sent.parts) == PARTS - brought
    assert await way.is_whole()


async def test_a_cancelled_put_goes_on_as_well(way: Way) -> None:
    way.sent.free.clear()
    putting = asyncio.create_task(way.put())
    for _ in range(THREADS):
        await asyncio.to_thread(way.sent.begun.acquire)
    putting.cancel()
    way.sent.free.set()
    await asyncio.wait([putting])
    assert putting.cancelled()
    brought = len(way.sent.parts)
    await way.put()
    assert len(way.sent.parts) == PARTS
    assert brought <= THREADS
    assert await way.is_whole()


async def test_a_part_that_is_not_what_the_file_says_has_it_begin_anew(way: Way) -> None:
    await way.break_off()
    times = way.file.stat()
    with way.file.open("r+b") as file:
        file.write(b"not what was sent")
    os.utime(way.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    await way.put()
    assert len(set(way.sent.parts)) == PARTS
    assert await way.is_whole()
    assert way.unfinished == []


async def test_a_transfer_that_the_store_forgot_begins_anew(way: Way) -> None:
    await way.break_off()
    [upload] = way.unfinished
    way.store._multipart.requests.abort(way.key, upload)
    await way.put()
    assert len(way.sent.parts) == PARTS
    assert await way.is_whole()


async def test_another_file_under_the_same_key_begins_anew_and_leaves_no_orphan(way: Way) -> None:
    await way.break_off()
    way.file.write_bytes(os.urandom(way.file.stat().st_size))
    await way.put()
    assert len(way.sent.parts) == PARTS
    assert await way.is_whole()
    assert way.unfinished == []


async def test_what_was_begun_just_before_a_crash_is_no_orphan_for_long(way: Way) -> None:
    way.store._multipart.requests.begin(way.key, {"Content-Type": TIFF})  # and the crash came before it was noted
    await way.put()
    assert way.unfinished == []
    assert len(way.sent.parts) == PARTS


async def test_a_completion_whose_answer_was_lost_is_seen_and_nothing_is_sent_twice(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MultipartRequests.complete

    def unanswered(*arguments: Any) -> None:
        real(*arguments)
        raise StoreUnavailable("No answer came.")

    with monkeypatch.context() as patch:
        patch.setattr(MultipartRequests, "complete", unanswered)
        with pytest.raises(StoreUnavailable):
            await way.put()
    way.sent.parts.clear()
    await way.put()
    assert way.sent.parts == []
    assert await way.is_whole()
    assert way.store._multipart._pending.read(way.key) is None


async def test_deleting_what_is_half_there_leaves_nothing_of_it(way: Way) -> None:
    await way.break_off()
    assert len(way.unfinished) == 1
    await way.store.delete(way.key)
    assert way.unfinished == []
    assert way.store._multipart._pending.read(way.key) is None


async def test_a_note_that_a_crash_tore_is_as_none(way: Way) -> None:
    await way.break_off()
    [noted] = [path for path in (way.server.folder / "journal").iterdir() if way.key in path.read_text()]
    noted.write_bytes(b"{")
    await way.put()
    assert len(way.sent.parts) == PARTS
    assert way.unfinished == []


async def test_the_parts_of_a_transfer_are_listed_past_a_page(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    await way.break_off(at=6)
    pending = way.store._multipart._pending.read(way.key)
    assert pending is not None
    whole = way.store._multipart.requests.parts(way.key, pending.upload)
    real, asked = Bucket.send, []

    def two_a_page(bucket: Bucket, method: str, key: str, query: dict[str, Any], *rest: Any) -> Any:
        asked.append(query)
        return real(bucket, method, key, query | {"max-parts": "2"}, *rest)

    monkeypatch.setattr(Bucket, "send", two_a_page)
    assert way.store._multipart.requests.parts(way.key, pending.upload) == whole
    assert len(asked) > 1
    assert all(isinstance(part, StoredPart) and part.bytes == PART for part in whole.values())


async def test_small_objects_are_put_while_giants_hold_every_thread_of_theirs(way: Way, original: Path) -> None:
    way.sent.free.clear()
    putting = [asyncio.create_task(way.put(f"{way.key}-{number}")) for number in range(4)]
    for _ in range(THREADS):
        await asyncio.to_thread(way.sent.begun.acquire)
    for number in range(40):
        await way.store.put(f"{way.key}-small-{number}", original, media_type=TIFF, metadata={})
    assert way.sent.parts == []
    assert not any(task.done() for task in putting)
    way.sent.free.set()
    await asyncio.gather(*putting)


async def test_giants_share_the_way_part_by_part(way: Way) -> None:
    way.sent.free.clear()
    keys = [f"{way.key}-{number}" for number in range(3)]
    putting = [asyncio.create_task(way.put(key)) for key in keys]
    await asyncio.to_thread(way.sent.begun.acquire)
    way.sent.free.set()
    await asyncio.gather(*putting)
    first_end = next(place for place, (_, number) in enumerate(way.sent.parts) if number == PARTS)
    begun = {key for key, _ in way.sent.parts[:first_end]}
    assert begun == set(keys), "the first giant went to its end before another had begun"
