"""Room on a small disk: announcements reserve nothing, uploads under way go first, resumable ones lose nothing."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.config.model import Server
from appliance.spool import Room
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images.noise import padded
from tests.support.tus_client import Tus, checksum, encoded, half_sent, sha256
from tests.support.waiting import until

MB = 1_000_000
POST = "POST /api/v1/images HTTP/1.1\r\nHost: x\r\n"
OTHER = {"X-Forwarded-For": "203.0.113.9"}


@dataclass
class Disk:
    """A disk of so many bytes, of which the spool's files take theirs. Links to the store's files take nothing."""

    spool: Path
    size: int = 100 * MB

    @property
    def free(self) -> int:
        return self.size - sum(self._held())

    def _held(self) -> list[int]:
        held = []
        for path in self.spool.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                held.append(stat.st_size if path.is_file() and stat.st_nlink == 1 else 0)
        return held


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(tmp_path / "data/spool")
    monkeypatch.setattr(Room, "available_bytes", property(lambda it: disk.free - it.promised_bytes))
    return disk


@pytest.fixture
async def host(open_host: OpenHost) -> Host:
    return patient(await open_host(server=Server(trusted_proxies=("127.0.0.1",))))


def patient(host: Host) -> Host:
    """The host, which keeps the places of resting uploads however busy the machine is that runs this."""
    host.appliance.spool.room.rests_s = 3600.0
    return host


@pytest.fixture
def tus(disk: Disk, host: Host) -> Tus:
    return Tus(host)


@contextlib.asynccontextmanager
async def announcing(host: Host, head: str, sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that sends a head and some bytes, and then stands still."""
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(head.encode() + sent)
    await writer.drain()
    try:
        yield reader
    finally:
        writer.transport.abort()


async def status_of(host: Host, announced: int) -> str:
    """What a client is told that asks first whether it may send so much."""
    head = f"{POST}X-Forwarded-For: 203.0.113.9\r\nExpect: 100-continue\r\nContent-Length: {announced}\r\n\r\n"
    async with announcing(host, head, b"") as reader, asyncio.timeout(20):
        return (await reader.readline()).decode().split()[1]


# --- announcements ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["raw", "form", "tus"])
async def test_who_announces_the_whole_disk_and_sends_next_to_nothing_keeps_nobody_out(
    tus: Tus, disk: Disk, jpeg: bytes, way: str
) -> None:
    host, whole = tus.host, disk.size - 6 * MB
    where = await tus.create(whole)
    form = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    heads = {
        "raw": f"{POST}Content-Length: {whole}\r\n\r\n",
        "form": f"{POST}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {whole}\r\n\r\n{form}",
        "tus": f"PATCH {where} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {whole}\r\n\r\n",
    }
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(1 if way == "tus" else 5):
            await stack.enter_async_context(announcing(host, heads[way], jpeg[:100]))
        folder = "spool/uploads" if way == "tus" else "spool/incoming"
        await until(lambda: len(host.files(folder)) == (1 if way == "tus" else 5))
        assert host.appliance.spool.room.promised_bytes < MB
        assert (await host.client.post("/api/v1/images", data=jpeg, headers=OTHER)).status == 201
        assert await status_of(host, disk.size - 10 * MB) == "100", "a large one has all but a little of the disk"
        assert await status_of(host, disk.size + 1) == "507", "what can't fit is refused at once all the same"


async def test_a_fifth_of_the_disk_brought_keeps_large_files_out_and_small_ones_not(
    tus: Tus, disk: Disk, jpeg: bytes
) -> None:
    host, data = tus.host, padded(90 * MB, 1)
    where = await tus.create(len(data))
    _, writer = await half_sent(host.port, where, 0, len(data), data[: 20 * MB])
    await until(lambda: disk.free < 81 * MB)
    assert await status_of(host, 50 * MB) == "507", "the upload under way will need that room"
    assert await status_of(host, 15 * MB) == "100"
    assert (await host.client.post("/api/v1/images", data=jpeg, headers=OTHER)).status == 201
    writer.close()


async def test_what_is_refused_tells_what_was_asked_in_every_shape(tus: Tus, disk: Disk, jpeg: bytes) -> None:
    host = tus.host
    disk.size = 51_237
    told = await problem(await tus.post(12_345_678), "disk-full")
    assert (told.get("limit"), told["actual"]) == (None, 12_345_678)
    told = await problem(await tus.post(len(jpeg), jpeg), "disk-full")
    assert (told.get("limit"), told["actual"]) == (None, len(jpeg))
    page = await host.client.post("/", data={"file": io.BytesIO(jpeg)}, headers={"Accept": "text/html"})
    assert page.status == 507
    assert "51 KB" not in await page.text()
    for path in ("/readyz", "/api/v1/limits"):
        assert str(disk.size) not in await (await host.get(path)).text()


# --- an upload under way ----------------------------------------------------------------------------------------------


async def test_an_upload_under_way_ends_whole_beside_a_newcomer_that_wants_its_room(
    tus: Tus, disk: Disk, jpeg: bytes
) -> None:
    """The newcomer was let in while nobody could know; what came first is not what fails."""
    host, disk.size = tus.host, 60 * MB
    first, second = padded(40 * MB, 1), padded(40 * MB, 2)
    where = await tus.create(len(first))
    assert (await tus.patch(where, 0, first[: 2 * MB])).status == 204
    host.clock.forward(1)
    newcomer = await tus.created(await tus.post(len(second), headers={"Upload-Metadata": encoded(filename="b.jpg")}))
    assert (await tus.patch(where, 2 * MB, first[2 * MB : 8 * MB])).status == 204
    paused = await tus.patch(newcomer, 0, second)
    told = await problem(paused, "upload-paused")
    assert paused.headers["Retry-After"] == "10"
    assert "limit" not in told
    assert (await tus.patch(where, 8 * MB, first[8 * MB :])).status == 204
    assert (await tus.state(where))["image"]["sha256"] == sha256([first])
    here = await tus.offset(newcomer)
    assert MB < here < len(second)
    disk.size = 100 * MB
    assert (await tus.patch(newcomer, here, second[here:])).status == 204
    assert (await tus.state(newcomer))["image"]["sha256"] == sha256([second])
    assert host.appliance.spool.room.promised_bytes == 0


async def test_a_newcomer_that_can_not_be_resumed_is_refused_and_leaves_nothing(
    tus: Tus, disk: Disk, jpeg: bytes
) -> None:
    host, disk.size = tus.host, 60 * MB
    first, second = padded(40 * MB, 1), padded(40 * MB, 2)
    where = await tus.create(len(first))
    assert (await tus.patch(where, 0, first[: 8 * MB])).status == 204
    host.clock.forward(1)
    told = await problem(await host.client.post("/api/v1/images", data=io.BytesIO(second)), "disk-full")
    assert told["actual"] == len(second)
    assert host.files("spool/incoming") == []
    assert (await tus.patch(where, 8 * MB, first[8 * MB :])).status == 204


async def test_two_giants_of_which_one_fits_end_one_after_the_other(tus: Tus, disk: Disk, jpeg: bytes) -> None:
    disk.size = 60 * MB
    sent = [padded(40 * MB, number) for number in range(2)]
    wheres = [await tus.create(len(data)) for data in sent]
    replies = await asyncio.gather(*(tus.patch(where, 0, data) for where, data in zip(wheres, sent, strict=True)))
    assert sorted(reply.status for reply in replies) == [204, 423], "never both of them in each other's way"
    waits = [reply.status for reply in replies].index(423)
    disk.size = 100 * MB
    here = await tus.offset(wheres[waits])
    assert (await tus.patch(wheres[waits], here, sent[waits][here:])).status == 204
    for where, data in zip(wheres, sent, strict=True):
        assert (await tus.state(where))["image"]["sha256"] == sha256([data])


# --- without room -----------------------------------------------------------------------------------------------------


async def test_a_resumable_upload_waits_for_room_and_loses_nothing_not_even_by_a_restart(
    open_host: OpenHost, disk: Disk, jpeg: bytes
) -> None:
    tus, data = Tus(patient(await open_host())), padded(12 * MB, 3)
    where = await tus.create(len(data))
    disk.size = 7 * MB
    await problem(await tus.patch(where, 0, data), "upload-paused")
    here = await tus.offset(where)
    assert 3 * MB < here <= 7 * MB
    await problem(await tus.patch(where, here, data[here:]), "upload-paused")
    wrong = checksum("md5", b"16 bytes of MD5.")
    await problem(await tus.patch(where, here, data[here:], wrong), "upload-paused")
    assert await tus.offset(where) == here
    tus = Tus(patient(await open_host()))
    assert await tus.offset(where) == here
    await problem(await tus.patch(where, here, data[here:]), "upload-paused")
    disk.size = 100 * MB
    assert (await tus.patch(where, here, data[here:])).status == 204
    assert (await tus.state(where))["image"]["sha256"] == sha256([data])


async def test_a_creation_whose_first_bytes_find_no_room_is_refused_and_leaves_nothing(
    tus: Tus, disk: Disk, jpeg: bytes
) -> None:
    data = padded(12 * MB, 3)
    created = asyncio.create_task(tus.post(len(data), io.BytesIO(data)))
    await until(lambda: disk.free < 98 * MB)
    disk.size = 3 * MB
    told = await problem(await created, "disk-full")
    assert told["actual"] == len(data)
    assert tus.host.files("spool/uploads") == []
    assert await tus.host.appliance.catalogue.uploads.count_unfinished(0, 10) == 0


# --- what is created and stays empty ----------------------------------------------------------------------------------


async def test_a_request_that_brings_no_byte_keeps_no_empty_upload(tus: Tus) -> None:
    where = await tus.create(100_000)
    _, writer = await half_sent(tus.host.port, where, 0, 100_000, b"")
    await until(lambda: bool(tus.host.files("spool/uploads")))
    writer.transport.abort()
    tus.host.clock.forward(20 * 60)
    async with asyncio.timeout(20):
        while await tus.host.appliance.upload_janitor.run() == 0:  # noqa: ASYNC110 - until the broken connection is noticed
            await asyncio.sleep(0.01)
    assert (await tus.head(where)).status == 410


async def test_an_upload_whose_first_request_lasts_long_is_alive_all_the_while(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    _, writer = await half_sent(tus.host.port, where, 0, len(jpeg), jpeg[:5000])
    await until(lambda: [path.stat().st_size for path in tus.host.files("spool/uploads")] == [5000])
    tus.host.clock.forward(20 * 60)
    assert (await tus.state(where))["state"] == "receiving"
    writer.close()


async def test_addresses_that_have_their_shares_leave_uploads_to_begin_for_those_that_have_few(
    open_host: OpenHost,
) -> None:
    host = await open_host(
        server=Server(trusted_proxies=("127.0.0.1",)),
        uploads=small_config(Path()).uploads.__class__(reserve_bytes=1, max_unfinished=48),
    )
    host.appliance.resumable.unfinished.count_every_s = 0.0
    tus = Tus(host)
    for number in range(4):
        for _ in range(12):
            await tus.post(1000, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    refused = await problem(await tus.post(1000, headers={"X-Forwarded-For": "198.51.100.3"}), "busy")
    assert refused["limit"] == 48
    for _ in range(4):
        await tus.created(await tus.post(1000, headers=OTHER))


# --- views ------------------------------------------------------------------------------------------------------------


async def test_once_uploads_are_refused_a_view_may_copy_an_original_from_the_store(
    disk: Disk, host: Host, jpeg: bytes
) -> None:
    """It may use half of the reserve; an original is sent without a copy."""
    shown, hidden = [(await host.upload(padded(MB // 5, seed)))["slug"] for seed in (1, 2)]
    for slug in (shown, hidden):
        host.appliance.spool.copy_path(slug).unlink()
    disk.size = MB * 9 // 10 - host.appliance.config.uploads.reserve_bytes
    await problem(await host.post(jpeg), "disk-full")
    assert (await host.get(f"/i/{shown}/small.jpg")).status == 200
    disk.size -= MB * 6 // 10
    reply = await host.get(f"/i/{hidden}/small.jpg")
    assert "disk space" in (await problem(reply, "busy"))["detail"]
    assert "Retry-After" in reply.headers
    assert (await host.get(f"/i/{hidden}/original")).status == 200
