"""The IETF's resumable uploads survive broken connections and restarts, and never finish on their own."""

import hashlib
from dataclasses import replace

from appliance.domain import tokens
from appliance.domain.access_keys import KeyLimits
from tests.support.access import minted, raw
from tests.support.draft_client import LAST, MORE, Draft, accepted_uploads, field
from tests.support.host import Host, OpenHost, bearer, problem


async def test_a_file_that_is_not_declared_complete_never_becomes_an_image(host: Host, jpeg: bytes) -> None:
    draft, before = Draft(host), accepted_uploads(host)
    where = await draft.create(headers={"Upload-Length": str(len(jpeg))})
    response = await draft.patch(where, 0, jpeg, MORE)
    assert (response.status, response.headers["Upload-Complete"]) == (204, "?0")
    await host.appliance.upload_janitor.run()
    head = await draft.head(where)
    assert (head.headers["Upload-Complete"], head.headers["Upload-Offset"]) == ("?0", str(len(jpeg)))
    assert (await draft.state(where))["state"] == "receiving"
    assert accepted_uploads(host) == before
    last = await draft.patch(where, len(jpeg), b"", LAST)
    assert (last.status, (await last.json())["sha256"]) == (201, hashlib.sha256(jpeg).hexdigest())


async def test_a_cut_connection_keeps_what_arrived_and_resumes(host: Host, jpeg: bytes) -> None:
    draft = Draft(host)
    wire, interim = await draft.begun(len(jpeg), jpeg[:20_000])
    where = field(interim, "Location")
    await draft.until_offset(where, 20_000)
    wire.abort()
    head = await draft.head(where)
    assert (head.headers["Upload-Complete"], head.headers["Upload-Length"]) == ("?0", str(len(jpeg)))
    last = await draft.patch(where, 20_000, jpeg[20_000:], LAST)
    assert (last.status, (await last.json())["sha256"]) == (201, hashlib.sha256(jpeg).hexdigest())


async def test_an_upload_survives_a_restart(open_host: OpenHost, jpeg: bytes) -> None:
    draft = Draft(await open_host())
    where = await draft.create(jpeg[:1000], {"Upload-Length": str(len(jpeg))})
    await draft.patch(where, 1000, jpeg[1000:], MORE)
    again = Draft(await open_host())
    await again.host.appliance.upload_janitor.run()
    assert (await again.head(where)).headers["Upload-Complete"] == "?0"
    last = await again.patch(where, len(jpeg), b"", LAST)
    assert (await last.json())["sha256"] == hashlib.sha256(jpeg).hexdigest()


async def test_a_body_without_a_length_that_is_cut_is_not_complete(host: Host, jpeg: bytes) -> None:
    draft, before = Draft(host), accepted_uploads(host)
    wire = await draft.sent(None, f"{len(jpeg):x}\r\n".encode() + jpeg + b"\r\n")
    where = field(await wire.head(), "Location")
    await draft.until_offset(where, len(jpeg))
    wire.abort()
    assert (await draft.head(where)).headers["Upload-Complete"] == "?0"
    assert accepted_uploads(host) == before
    assert (await draft.patch(where, len(jpeg), b"", LAST)).status == 201


async def test_a_request_that_another_one_ends_is_answered_as_one_to_resume(host: Host, jpeg: bytes) -> None:
    """Clients of the draft come back after a 5xx, not after a 423."""
    draft = Draft(host)
    wire, interim = await draft.begun(len(jpeg), jpeg[:20_000])
    where = field(interim, "Location")
    await draft.until_offset(where, 20_000)
    assert await draft.offset(where) == 20_000
    head = await wire.head()
    assert head.startswith("HTTP/1.1 503 ")
    assert (field(head, "Upload-Complete"), field(head, "Retry-After")) == ("?0", "1")
    wire.abort()
    assert (await draft.patch(where, 20_000, jpeg[20_000:], LAST)).status == 201


async def test_an_upload_whose_lock_is_not_released_is_busy(host: Host, jpeg: bytes) -> None:
    host.appliance.resumable.locks.wait_s = 0.05
    draft = Draft(host)
    where = await draft.create(jpeg[:1000])
    async with host.appliance.resumable.locks.of(tokens.hash_secret(where.rpartition("/")[2])).held():
        await problem(await draft.patch(where, 1000, jpeg[1000:], LAST), "busy")
        await problem(await host.client.delete(where), "busy")
        assert (await draft.head(where)).status == 503
    assert (await draft.patch(where, 1000, jpeg[1000:], LAST)).status == 201


async def test_an_upload_without_disk_space_is_to_be_resumed_later(open_host: OpenHost, jpeg: bytes) -> None:
    draft = Draft(await open_host())
    where = await draft.create(jpeg[:1000])
    full = Draft(await open_host(uploads=replace(draft.host.appliance.config.uploads, reserve_bytes=10**15)))
    response = await full.patch(where, 1000, jpeg[1000:], LAST)
    await problem(response, "busy")
    assert (response.headers["Retry-After"], response.headers["Upload-Offset"]) == ("10", "1000")


async def test_an_upload_that_a_limit_refused_for_good_is_not_told_to_resume(host: Host, jpeg: bytes) -> None:
    """Clients of the draft resume after a 5xx, and there is nothing left to resume."""
    key = bearer(await minted(host, limits=KeyLimits(max_images_a_day=1)))
    draft = Draft(host)
    where = await draft.create(jpeg[:1000], key)
    assert (await raw(host, jpeg, key)).status == 201
    refused = await draft.patch(where, 1000, jpeg[1000:], LAST | key)
    await problem(refused, "budget-spent")
    assert (refused.status, refused.headers["Upload-Complete"]) == (429, "?1")
    assert (await draft.head(where)).status == 429
