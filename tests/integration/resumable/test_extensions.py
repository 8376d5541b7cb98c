"""tus 1.0.0: checksum, termination, expiration, limits, creation with upload."""

import asyncio
import hashlib
import zlib

import pytest

from appliance.config.model import Server, Uploads
from appliance.domain.errors import Busy
from tests.support.host import DAY_S, OpenHost, problem
from tests.support.tus_client import UPLOADS, Tus, checksum, half_sent
from tests.support.waiting import until

HOUR_S = 3600


# --- checksum ---------------------------------------------------------------------------------------------------------


def digests(data: bytes) -> dict[str, bytes]:
    return {
        "sha1": hashlib.sha1(data).digest(),
        "sha256": hashlib.sha256(data).digest(),
        "sha512": hashlib.sha512(data).digest(),
        "md5": hashlib.md5(data).digest(),
        "crc32": zlib.crc32(data).to_bytes(4, "big"),
    }


async def test_bytes_with_a_right_checksum_count_whatever_its_algorithm(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    step = len(jpeg) // 5 + 1
    for number, algorithm in enumerate(("sha1", "sha256", "sha512", "md5", "crc32")):
        piece = jpeg[number * step : (number + 1) * step]
        response = await tus.patch(where, number * step, piece, checksum(algorithm, digests(piece)[algorithm]))
        assert response.status == 204, algorithm
    state = await tus.state(where)
    assert state["image"]["sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert tus.host.files("spool/uploads") == []


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5", "crc32"])
async def test_bytes_with_a_wrong_checksum_leave_the_offset(tus: Tus, jpeg: bytes, algorithm: str) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    wrong = checksum(algorithm, digests(b"other bytes")[algorithm])
    response = await tus.patch(where, 1000, jpeg[1000:], wrong)
    assert response.status == 460
    await problem(response, "checksum-mismatch")
    assert await tus.offset(where) == 1000
    assert (await tus.patch(where, 1000, jpeg[1000:])).status == 204
    assert await tus.original(await tus.slug(where)) == jpeg


async def test_checksums_that_can_not_be_read_are_refused(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    for value, code in (
        ("sha3 YQ==", "invalid-field"),
        ("sha1 no!", "malformed-request"),
        ("SHA1 YQ==", "invalid-field"),
    ):
        await problem(await tus.patch(where, 0, jpeg, {"Upload-Checksum": value}), code)
    assert await tus.offset(where) == 0


async def test_bytes_with_a_checksum_do_not_count_when_they_break_off(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    claimed = checksum("sha1", digests(jpeg[1000:])["sha1"])
    _, writer = await half_sent(tus.host.port, where, 1000, len(jpeg) - 1000, jpeg[1000:40_000], claimed)
    await until(lambda: len(tus.host.files("spool/uploads")) == 2)  # the file, and the mark beside it
    writer.close()
    assert await tus.offset(where) == 1000
    assert [path.stat().st_size for path in tus.host.files("spool/uploads")] == [1000]


async def test_a_creation_whose_bytes_fail_their_checksum_leaves_nothing(tus: Tus, jpeg: bytes) -> None:
    await problem(await tus.post(len(jpeg), jpeg, checksum("sha1", digests(b"x")["sha1"])), "checksum-mismatch")
    assert tus.host.files("spool/uploads") == []
    right = await tus.post(len(jpeg), jpeg, checksum("sha1", digests(jpeg)["sha1"]))
    assert right.status == 201


# --- termination ------------------------------------------------------------------------------------------------------


async def test_a_terminated_upload_is_gone_with_its_bytes_and_its_link(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    slug = await tus.slug(where)
    response = await tus.delete(where)
    assert (response.status, response.headers["Tus-Resumable"]) == (204, "1.0.0")
    assert (await tus.head(where)).status == 410
    await problem(await tus.patch(where, 1000, jpeg[1000:]), "upload-gone")
    await problem(await tus.delete(where), "upload-gone")
    await problem(await tus.host.get(where), "upload-gone")
    await problem(await tus.host.get(f"/i/{slug}/medium.jpg"), "gone")
    page = await tus.host.get(f"/i/{slug}", Accept="text/html")
    assert page.status == 410
    assert "The upload was never completed" in await page.text()
    assert tus.host.files("spool/uploads") == []


async def test_terminating_a_finished_upload_never_deletes_the_image(tus: Tus, jpeg: bytes) -> None:
    where = await tus.whole(jpeg)
    slug = await tus.slug(where)
    assert (await tus.delete(where)).status == 204
    assert (await tus.head(where)).status == 410
    assert await tus.original(slug) == jpeg


# --- expiration -------------------------------------------------------------------------------------------------------


async def test_an_unfinished_upload_is_given_up_a_day_after_its_last_bytes(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    slug = await tus.slug(where)
    tus.host.clock.forward(23 * HOUR_S)
    await tus.patch(where, 1000, jpeg[1000:2000])
    tus.host.clock.forward(23 * HOUR_S)
    assert await tus.host.appliance.upload_janitor.run() == 0
    assert await tus.offset(where) == 2000
    tus.host.clock.forward(HOUR_S)
    assert (await tus.head(where)).status == 410
    await problem(await tus.host.get(where), "upload-gone")  # at once, before any job came by
    assert await tus.host.appliance.upload_janitor.run() == 1
    await problem(await tus.host.get(where), "upload-gone")
    assert tus.host.files("spool/uploads") == []
    await problem(await tus.patch(where, 2000, jpeg[2000:]), "upload-gone")
    assert (await tus.host.get(f"/i/{slug}", Accept="text/html")).status == 410
    tus.host.clock.forward(DAY_S)
    await tus.host.appliance.upload_janitor.run()
    assert (await tus.head(where)).status == 404
    await problem(await tus.host.get(where), "upload-not-found")
    assert (await tus.host.get(f"/i/{slug}", Accept="text/html")).status == 410


async def test_an_upload_that_stays_empty_is_given_up_within_minutes(tus: Tus) -> None:
    where = await tus.create(1 << 30)
    assert tus.host.appliance.spool.room.promised_bytes == 0
    tus.host.clock.forward(20 * 60)
    assert await tus.host.appliance.upload_janitor.run() == 1
    assert (await tus.head(where)).status == 410


async def test_the_link_of_an_upload_that_stayed_empty_is_gone_for_a_day_and_then_unknown(tus: Tus) -> None:
    where = await tus.create(1000, filename="cat.jpg")
    slug = await tus.slug(where)
    tus.host.clock.forward(20 * 60)
    assert await tus.host.appliance.upload_janitor.run() == 1
    await problem(await tus.host.get(f"/api/v1/images/{slug}"), "gone")
    assert (await tus.host.get(f"/i/{slug}", Accept="text/html")).status == 410
    tus.host.clock.forward(DAY_S)
    await tus.host.appliance.upload_janitor.run()
    await problem(await tus.host.get(f"/api/v1/images/{slug}"), "not-found")


async def test_nothing_of_what_a_client_wished_for_is_kept_of_an_upload_that_is_gone(tus: Tus) -> None:
    from appliance.domain import tokens

    where = await tus.create(1000, filename="secret.jpg", title="Secret")
    assert (await tus.delete(where)).status == 204
    row = await tus.host.appliance.catalogue.uploads.get(tokens.hash_secret(where.rpartition("/")[2]))
    assert row is not None
    assert (row.filename, row.title, row.metadata) == ("", None, "")


async def test_only_so_many_uploads_may_be_unfinished(open_host: OpenHost, jpeg: bytes) -> None:
    tus = Tus(await open_host(uploads=Uploads(reserve_bytes=1, max_unfinished=3)))
    tus.host.appliance.resumable.unfinished.count_every_s = 0.0
    wheres = [await tus.create(len(jpeg)) for _ in range(3)]
    told = await problem(await tus.post(len(jpeg)), "busy")
    assert told["limit"] == 3
    assert (await tus.patch(wheres[0], 0, jpeg)).status == 204
    assert (await tus.post(len(jpeg))).status == 201


async def test_one_address_does_not_begin_every_upload_that_may_be_unfinished(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(
        uploads=Uploads(reserve_bytes=1, max_unfinished=36), server=Server(trusted_proxies=("127.0.0.1",))
    )
    tus = Tus(host)
    wheres = [await tus.create(len(jpeg)) for _ in range(9)]
    told = await problem(await tus.post(len(jpeg)), "busy")
    assert (told["limit"], told["actual"]) == (9, 9)
    await tus.created(await tus.post(len(jpeg), headers={"X-Forwarded-For": "203.0.113.9"}))
    assert (await tus.delete(wheres[0])).status == 204
    assert (await tus.patch(wheres[1], 0, jpeg)).status == 204
    for _ in range(2):
        await tus.create(len(jpeg))
    await problem(await tus.post(len(jpeg)), "busy")


async def test_the_time_is_the_one_that_is_configured(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(uploads=Uploads(reserve_bytes=1, unfinished_hours=2.0))
    tus = Tus(host)
    where = await tus.create(len(jpeg))
    first = await tus.patch(where, 0, jpeg[:1000])
    assert first.headers["Upload-Expires"] == "Mon, 21 Sep 2026 16:13:20 GMT"
    host.clock.forward(2 * HOUR_S)
    assert await host.appliance.upload_janitor.run() == 1


async def test_a_running_upload_is_not_given_up(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    _, writer = await half_sent(tus.host.port, where, 0, len(jpeg), jpeg[:1000])
    await until(lambda: tus.host.files("spool/uploads") != [])
    tus.host.clock.forward(2 * DAY_S)
    assert await tus.host.appliance.upload_janitor.run() == 0
    writer.close()


async def test_the_state_of_a_finished_upload_is_kept_for_a_day(tus: Tus, jpeg: bytes) -> None:
    where = await tus.whole(jpeg)
    token = (await tus.state(where))["image"]["delete_token"]
    tus.host.clock.forward(DAY_S - 1)
    await tus.host.appliance.upload_janitor.run()
    assert (await tus.state(where))["image"]["delete_token"] == token
    tus.host.clock.forward(1)
    await tus.host.appliance.upload_janitor.run()
    await problem(await tus.host.get(where), "upload-not-found")


async def test_a_fault_that_passes_is_tried_again_and_told_until_then(
    tus: Tus, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_order: object) -> None:
        raise Busy("Too much is going on. Try again.")

    where = await tus.create(len(jpeg))
    with monkeypatch.context() as patch:
        patch.setattr(tus.host.appliance.workers, "examine", busy)
        await problem(await tus.patch(where, 0, jpeg), "busy")
        assert (await tus.head(where)).status == 503
        assert (await tus.state(where))["state"] == "processing"
        tus.host.clock.forward(10 * DAY_S)
    assert await tus.host.appliance.upload_janitor.run() == 0
    assert await tus.offset(where) == len(jpeg)
    assert await tus.original(await tus.slug(where)) == jpeg


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_a_file_beyond_the_limit_is_refused_before_its_bytes(open_host: OpenHost) -> None:
    host = await open_host(uploads=Uploads(reserve_bytes=1, max_bytes=5000))
    tus = Tus(host)
    told = await problem(await tus.post(5001), "too-large")
    assert (told["limit"], told["actual"]) == (5000, 5001)
    where = await tus.create(None)
    await problem(await tus.patch(where, 0, b"x", {"Upload-Length": "5001"}), "too-large")
    await problem(await tus.patch(where, 0, b"x" * 5001), "too-large")


async def test_a_file_without_room_is_refused_before_its_bytes(open_host: OpenHost) -> None:
    host = await open_host(uploads=Uploads(reserve_bytes=1 << 60))
    await problem(await Tus(host).post(5001), "disk-full")


# --- creation with upload ---------------------------------------------------------------------------------------------


async def test_a_creation_that_broke_off_with_its_first_bytes_leaves_nothing(tus: Tus) -> None:
    """Its client was never told where it could go on."""
    host = tus.host
    head = f"POST {UPLOADS} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 100000\r\n"
    head += "Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(head.encode() + bytes(50_000))
    await writer.drain()
    await until(lambda: bool(host.files("spool/uploads")))
    writer.transport.abort()
    await until(lambda: not host.files("spool/uploads"))
    assert await host.appliance.catalogue.uploads.count_unfinished(0, 10) == 0


async def test_a_creation_with_too_many_bytes_leaves_nothing(tus: Tus, jpeg: bytes) -> None:
    await problem(await tus.post(100, jpeg), "too-large")
    assert tus.host.files("spool/uploads") == []
    assert await tus.host.appliance.catalogue.uploads.count_unfinished(0, 10) == 0
