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
from appliance.objectstore import MinioStore
from appliance.objectstore.bucket import Bucket
from appliance.objectstore.multipart import THREADS
from appliance.objectstore.multipart_requests import MultipartRequests, StoredPart
from tests.contract.conftest import S3_KINDS
from tests.support.servers import Server
from tests.support.stores import store_on

TIFF = "image/tiff"
METADATA = {"slug": "a-slug"}
PART = 5 * 1024 * 1024  # the smallest that S3 takes
PARTS = 6


@dataclass
class Sent:
    """Counts the parts that are sent, and can hold the next ones or break off."""

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
                raise StoreUnavailable("The connection broke off.")
            tag = real(requests, key, upload, number, body)
            self.parts.append((key, number))
            return tag

        patch.setattr(MultipartRequests, "put_part", put_part)


@dataclass
class LargeUpload:
    """A file of six parts, the last of them short, and its way into a store under `key`."""

    server: Server
    store: MinioStore
    file: Path
    key: str
    sent: Sent

    async def put(self, key: str | None = None, store: MinioStore | None = None) -> None:
        await (store or self.store).put(key or self.key, self.file, media_type=TIFF, metadata=METADATA)

    async def break_off(self, at: int = 4) -> int:
        """Have an attempt fail. Returns how many parts it brought before."""
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
        return self.store.multipart.requests.unfinished(self.key)

    async def is_whole(self) -> bool:
        fetched = self.file.with_name("fetched")
        await self.store.fetch(self.key, fetched)
        info = await self.store.stat(self.key)
        return fetched.read_bytes() == self.file.read_bytes() and dict(info.metadata) == METADATA


@pytest.fixture(params=S3_KINDS)
async def large(
    request: pytest.FixtureRequest, tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LargeUpload]:
    sent = Sent()
    sent.watch(monkeypatch)
    file = tmp_path / "large"
    file.write_bytes(os.urandom(PART * (PARTS - 1) + 1000))
    server = request.getfixturevalue(request.param)
    store = store_on(server, part_bytes=PART)
    await store.start()
    yield LargeUpload(server, store, file, prefix + "large", sent)
    await store.close()


async def test_a_put_that_broke_off_continues_with_the_parts_that_the_store_has(large: LargeUpload) -> None:
    brought = await large.break_off()
    await large.put()
    assert 0 < len(large.sent.parts) <= PARTS - brought  # the store may have got one more than it could confirm
    assert await large.is_whole()
    assert large.unfinished == []


async def test_another_process_continues_it_too(large: LargeUpload) -> None:
    brought = await large.break_off()
    again = store_on(large.server, part_bytes=PART)
    await large.put(store=again)
    await again.close()
    assert 0 < len(large.sent.parts) <= PARTS - brought  # the store may have got one more than it could confirm
    assert await large.is_whole()


async def test_a_cancelled_put_is_continued_too(large: LargeUpload) -> None:
    large.sent.free.clear()
    putting = asyncio.create_task(large.put())
    for _ in range(THREADS):
        await asyncio.to_thread(large.sent.begun.acquire)
    putting.cancel()
    large.sent.free.set()
    await asyncio.wait([putting])
    assert putting.cancelled()
    brought = len(large.sent.parts)
    await large.put()
    assert len(large.sent.parts) == PARTS
    assert brought <= THREADS
    assert await large.is_whole()


async def test_a_part_that_differs_from_the_file_makes_it_start_over(large: LargeUpload) -> None:
    await large.break_off()
    times = large.file.stat()
    with large.file.open("r+b") as file:
        file.write(b"not what was sent")
    os.utime(large.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    await large.put()
    assert len(set(large.sent.parts)) == PARTS
    assert await large.is_whole()
    assert large.unfinished == []


async def test_an_upload_that_the_store_forgot_starts_over(large: LargeUpload) -> None:
    await large.break_off()
    [upload] = large.unfinished
    large.store.multipart.requests.abort(large.key, upload)
    await large.put()
    assert len(large.sent.parts) == PARTS
    assert await large.is_whole()


async def test_another_file_under_the_same_key_starts_over_and_leaves_no_orphan(large: LargeUpload) -> None:
    await large.break_off()
    large.file.write_bytes(os.urandom(large.file.stat().st_size))
    await large.put()
    assert len(large.sent.parts) == PARTS
    assert await large.is_whole()
    assert large.unfinished == []


async def test_an_upload_begun_right_before_a_crash_leaves_no_orphan(large: LargeUpload) -> None:
    large.store.multipart.requests.begin(large.key, {"Content-Type": TIFF})  # and the crash came before it was noted
    await large.put()
    assert large.unfinished == []
    assert len(large.sent.parts) == PARTS


async def test_a_completion_whose_answer_was_lost_is_noticed_and_nothing_is_sent_twice(
    large: LargeUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MultipartRequests.complete

    def unanswered(*arguments: Any) -> None:
        real(*arguments)
        raise StoreUnavailable("No answer came.")

    with monkeypatch.context() as patch:
        patch.setattr(MultipartRequests, "complete", unanswered)
        with pytest.raises(StoreUnavailable):
            await large.put()
    large.sent.parts.clear()
    await large.put()
    assert large.sent.parts == []
    assert await large.is_whole()
    assert large.store.multipart.pending.read(large.key) is None


async def test_deleting_an_unfinished_upload_leaves_nothing_of_it(large: LargeUpload) -> None:
    await large.break_off()
    assert len(large.unfinished) == 1
    await large.store.delete(large.key)
    assert large.unfinished == []
    assert large.store.multipart.pending.read(large.key) is None


async def test_a_damaged_record_of_an_upload_counts_as_none(large: LargeUpload) -> None:
    await large.break_off()
    [noted] = [path for path in (large.server.folder / "journal").iterdir() if large.key in path.read_text()]
    noted.write_bytes(b"{")
    await large.put()
    assert len(large.sent.parts) == PARTS
    assert large.unfinished == []


async def test_the_parts_of_an_upload_are_listed_past_a_page(
    large: LargeUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    await large.break_off(at=6)
    pending = large.store.multipart.pending.read(large.key)
    assert pending is not None
    whole = large.store.multipart.requests.parts(large.key, pending.upload)
    real, asked = Bucket.send, []

    def two_a_page(bucket: Bucket, method: str, key: str, query: dict[str, Any], *rest: Any) -> Any:
        asked.append(query)
        return real(bucket, method, key, query | {"max-parts": "2"}, *rest)

    monkeypatch.setattr(Bucket, "send", two_a_page)
    assert large.store.multipart.requests.parts(large.key, pending.upload) == whole
    assert len(asked) > 1
    assert all(isinstance(part, StoredPart) and part.bytes == PART for part in whole.values())


async def test_small_objects_are_put_while_large_ones_hold_all_of_their_threads(
    large: LargeUpload, original: Path
) -> None:
    large.sent.free.clear()
    putting = [asyncio.create_task(large.put(f"{large.key}-{number}")) for number in range(4)]
    for _ in range(THREADS):
        await asyncio.to_thread(large.sent.begun.acquire)
    for number in range(40):
        await large.store.put(f"{large.key}-small-{number}", original, media_type=TIFF, metadata={})
    assert large.sent.parts == []
    assert not any(task.done() for task in putting)
    large.sent.free.set()
    await asyncio.gather(*putting)


async def test_large_uploads_share_their_threads_part_by_part(large: LargeUpload) -> None:
    large.sent.free.clear()
    keys = [f"{large.key}-{number}" for number in range(3)]
    putting = [asyncio.create_task(large.put(key)) for key in keys]
    await asyncio.to_thread(large.sent.begun.acquire)
    large.sent.free.set()
    await asyncio.gather(*putting)
    first_end = next(place for place, (_, number) in enumerate(large.sent.parts) if number == PARTS)
    begun = {key for key, _ in large.sent.parts[:first_end]}
    assert begun == set(keys), "the first large went to its end before another had begun"
