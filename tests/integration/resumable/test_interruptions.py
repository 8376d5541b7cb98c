"""Resumable uploads survive what breaks: connections cut at random bytes, a second request, kill -9, a restart."""

import asyncio
import contextlib
import io
import random
from pathlib import Path

import aiohttp
import pytest
from tusclient.client import TusClient

from tests.support.host import Host
from tests.support.images.noise import padded
from tests.support.relay import Relay
from tests.support.server_process import ServerProcess, serving
from tests.support.tus_client import UPLOADS, Tus, half_sent, send_stubbornly, sha256
from tests.support.waiting import until

MB = 1_000_000
PATIENCE_S = 60


# --- broken connections -----------------------------------------------------------------------------------------------


async def test_every_byte_that_arrived_before_a_broken_connection_is_kept(tus: Tus, jpeg: bytes) -> None:
    data = padded(3 * MB, 1)
    where = await tus.create(len(data))
    for start, end in ((0, 1), (1, 300_000), (300_000, 2_345_678)):
        _, writer = await half_sent(tus.host.port, where, start, len(data) - start, data[start:end])
        writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while (await tus.state(where))["offset"] != end:  # noqa: ASYNC110 - nobody tells when it is
                await asyncio.sleep(0.01)
        assert await tus.offset(where) == end
    assert (await tus.patch(where, 2_345_678, data[2_345_678:])).status == 204
    assert (await tus.state(where))["image"]["sha256"] == sha256([data])


async def test_what_came_before_a_pause_is_on_the_disk_without_anything_more(tus: Tus, jpeg: bytes) -> None:
    """So that progress shows it, and not even a kill takes it back."""
    where = await tus.create(len(jpeg))
    _, writer = await half_sent(tus.host.port, where, 0, len(jpeg), jpeg[:5000])
    await until(lambda: [path.stat().st_size for path in tus.host.files("spool/uploads")] == [5000])
    assert (await tus.state(where))["offset"] == 5000
    writer.write(jpeg[5000:])
    async with asyncio.timeout(PATIENCE_S):
        while (await tus.state(where))["state"] != "done":  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.01)
    writer.close()
    assert (await tus.state(where))["image"]["sha256"] == sha256([jpeg])


async def test_tuspy_gets_through_a_network_that_cuts_it_off(host: Host, jpeg: bytes) -> None:
    data = padded(3 * MB, 2)
    relay = Relay(host.port, seed=7, share=0.9, most=700_000)
    async with relay.listening() as url:
        uploader = TusClient(url + UPLOADS).uploader(
            file_stream=io.BytesIO(data), metadata={"filename": "cat.jpg"}, retries=200, retry_delay=0
        )
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(uploader.upload)
    assert relay.cut > 1
    where = str(uploader.url).removeprefix(url)
    image = (await Tus(host).state(where))["image"]
    assert (image["sha256"], image["filename"]) == (sha256([data]), "cat.jpg")


async def test_tuspy_with_checksums_gets_through_too(host: Host, jpeg: bytes) -> None:
    data = padded(1 * MB, 3)
    relay = Relay(host.port, seed=8, share=0.4, most=100_000)
    async with relay.listening() as url:
        uploader = TusClient(url + UPLOADS).uploader(
            file_stream=io.BytesIO(data), chunk_size=100_000, upload_checksum=True, retries=200, retry_delay=0
        )
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(uploader.upload)
    assert relay.cut > 1
    image = (await Tus(host).state(str(uploader.url).removeprefix(url)))["image"]
    assert image["sha256"] == sha256([data])


async def all_end_whole(host: Host, picture: bytes, uploads: int, size: int) -> None:
    sent = [padded(size + number, number) for number in range(uploads)]
    relay = Relay(host.port, seed=uploads, most=size)
    async with relay.listening() as url:
        states = await asyncio.gather(*(send_stubbornly(url, data, within_s=240) for data in sent))
    assert [state["image"]["sha256"] for state in states] == [sha256([data]) for data in sent]
    assert relay.cut >= uploads // 4
    assert host.files("spool/uploads") == []
    assert host.appliance.spool.room.promised_bytes == 0
    for data, state in zip(sent[:5], states[:5], strict=True):
        assert await Tus(host).original(state["image"]["slug"]) == data


async def test_thirty_parallel_uploads_with_a_third_of_their_connections_cut_end_whole(host: Host, jpeg: bytes) -> None:
    await all_end_whole(host, jpeg, 30, 400_000)


@pytest.mark.long
async def test_two_hundred_parallel_uploads_with_a_third_of_their_connections_cut_end_whole(
    host: Host, jpeg: bytes
) -> None:
    await all_end_whole(host, jpeg, 200, 1 * MB)


# --- two requests for one upload --------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["head", "patch", "delete"])
async def test_a_second_request_makes_the_first_save_and_stop(tus: Tus, jpeg: bytes, verb: str) -> None:
    data = padded(4 * MB, 4)
    where = await tus.create(len(data))
    reader, writer = await half_sent(tus.host.port, where, 0, len(data), data[: 2 * MB])
    await until(lambda: any(path.stat().st_size > MB for path in tus.host.files("spool/uploads")))
    async with asyncio.timeout(PATIENCE_S):
        if verb == "patch":
            assert (await tus.patch(where, 0, data)).status == 409  # it came to its turn, and the bytes were saved
        elif verb == "delete":
            assert (await tus.delete(where)).status == 204
        else:
            assert (await tus.head(where)).status == 200
        assert b" 423 " in await reader.readline()
    writer.close()
    if verb != "delete":
        offset = await tus.offset(where)
        assert MB < offset <= 2 * MB
        assert (await tus.patch(where, offset, data[offset:])).status == 204
        assert (await tus.state(where))["image"]["sha256"] == sha256([data])


async def test_an_upload_whose_lock_is_not_released_is_told_as_locked(tus: Tus, jpeg: bytes) -> None:
    from appliance.domain import tokens

    tus.host.appliance.resumable.locks.wait_s = 0.05
    where = await tus.create(len(jpeg))
    lock = tus.host.appliance.resumable.locks.of(tokens.hash_secret(where.rpartition("/")[2]))
    async with lock.held():
        response = await tus.head(where)
        assert (response.status, response.headers["Retry-After"]) == (423, "1")
    assert (await tus.head(where)).status == 200


async def test_a_request_that_came_before_there_was_anything_to_interrupt_is_heard(tus: Tus, jpeg: bytes) -> None:
    from appliance.domain import tokens
    from appliance.domain.errors import UploadLocked

    where = await tus.create(len(jpeg))
    lock = tus.host.appliance.resumable.locks.of(tokens.hash_secret(where.rpartition("/")[2]))
    async with lock.held():
        asking = asyncio.create_task(tus.head(where))
        await until(lambda: lock.waiting > 0)
        with pytest.raises(UploadLocked):
            async with lock.receiving():
                await asyncio.sleep(PATIENCE_S)
    assert (await asking).status == 200


async def test_guessed_ids_make_no_upload_forget_how_far_it_was_hashed(tus: Tus, jpeg: bytes) -> None:
    from appliance.domain import tokens

    tus.host.appliance.resumable.locks.max_idle = 2
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    for number in range(10):
        assert (await tus.head(f"{UPLOADS}/{'x' * 21}{number}")).status == 404
    lock = tus.host.appliance.resumable.locks.of(tokens.hash_secret(where.rpartition("/")[2]))
    assert lock.digest.bytes == 1000


# --- the server's own ends --------------------------------------------------------------------------------------------


async def test_kill_9_at_random_moments_loses_no_byte_that_head_told(tmp_path: Path, jpeg: bytes) -> None:
    data = padded(6 * MB, 5)
    choose = random.Random(5)
    served = ServerProcess(tmp_path / "data")
    try:
        await served.start()
        relay = Relay(served.port, seed=9, most=2 * MB, pause_s=0.01)
        async with relay.listening() as url:
            sending = [
                asyncio.create_task(send_stubbornly(url, data, within_s=300)),
                asyncio.create_task(send_stubbornly(url, data[:-1], within_s=300, chunk=200_000)),
            ]
            for _ in range(4):
                await asyncio.sleep(choose.uniform(0.05, 0.5))
                served.kill()
                await served.start()
            states = await asyncio.gather(*sending)
        assert [state["image"]["sha256"] for state in states] == [sha256([data]), sha256([data[:-1]])]
        async with aiohttp.ClientSession() as session:
            for state in states:
                async with session.get(f"{served.url}/i/{state['image']['slug']}/original") as reply:
                    assert sha256([await reply.read()]) == state["image"]["sha256"]
        await until(lambda: not list((tmp_path / "data/spool/uploads").iterdir()), "no file left over")
        assert await served.stop() == 0
    finally:
        served.abandon()


async def test_kill_9_cuts_off_what_was_not_verified(tmp_path: Path, jpeg: bytes) -> None:
    data = padded(4 * MB, 6)
    folder = tmp_path / "data/spool/uploads"
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession(served.url) as session:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data))}
        async with session.post(UPLOADS, headers=headers) as reply:
            where = reply.headers["Location"]
        headers = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        async with session.patch(where, headers=headers, data=data[:1000]) as reply:
            assert reply.status == 204
        claimed = {"Upload-Checksum": "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="}
        _, writer = await half_sent(served.port, where, 1000, len(data) - 1000, data[1000 : 3 * MB], claimed)
        await until(lambda: any(path.stat().st_size > MB for path in folder.iterdir()), "bytes on the disk")
        served.kill()
        writer.close()
        await served.start()
        async with session.head(where, headers={"Tus-Resumable": "1.0.0"}) as reply:
            assert (reply.status, reply.headers["Upload-Offset"]) == (200, "1000")


async def test_a_server_that_stops_saves_what_is_arriving(tmp_path: Path, jpeg: bytes) -> None:
    data = padded(4 * MB, 7)
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession(served.url) as session:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data))}
        async with session.post(UPLOADS, headers=headers) as reply:
            where = reply.headers["Location"]
        reader, writer = await half_sent(served.port, where, 0, len(data), data[: 2 * MB])
        folder = tmp_path / "data/spool/uploads"
        await until(lambda: any(path.stat().st_size > MB for path in folder.iterdir()), "bytes on the disk")
        stopping = asyncio.create_task(served.stop())
        assert b" 503 " in await reader.readline()
        writer.close()
        assert await stopping == 0
        await served.start()
        async with session.head(where, headers={"Tus-Resumable": "1.0.0"}) as reply:
            assert MB < int(reply.headers["Upload-Offset"]) <= 2 * MB


async def test_what_a_crash_left_between_file_and_row_is_finished_by_the_next_start(
    tmp_path: Path, jpeg: bytes
) -> None:
    """The worst moment: the file has landed under its slug, and no row says so."""
    from appliance.domain.errors import CatalogueUnavailable
    from tests.support.host import ManualClock, running, small_config

    config, clock = small_config(tmp_path / "data"), ManualClock()
    async with running(config, clock) as host:
        tus = Tus(host)
        where = await tus.create(len(jpeg))
        slug = await tus.slug(where)

        async def fails(*_: object, **__: object) -> None:
            raise CatalogueUnavailable("The catalogue does not answer.")

        async def leaves_it(*_: object) -> None:
            return None

        host.appliance.catalogue.images.add = fails  # type: ignore[method-assign]
        host.appliance.spool.take_back = leaves_it  # type: ignore[method-assign, assignment]
        assert (await tus.patch(where, 0, jpeg)).status == 503
        assert [path.name for path in host.files("spool/landed")] == [slug]
    async with running(config, clock) as host:
        tus = Tus(host)
        assert await tus.offset(where) == len(jpeg)
        assert await tus.original(slug) == jpeg
        with contextlib.suppress(FileNotFoundError):
            assert host.files("spool/orphans") == []
