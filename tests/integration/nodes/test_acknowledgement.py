"""What success means among nodes: the image survives its node with its disk, unless the store is known to be away."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.resumable import segment_writer, verdicts
from tests.support.draft_client import LAST, MORE, Draft
from tests.support.gates import Gate, gated
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.programs import node_clients
from tests.support.segments import SEGMENT_BYTES, content_of, id_of
from tests.support.tus_client import Tus, sha256
from tests.support.upload_programs import brought
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]
IMPATIENT_S = 0.3
SLOW_S = 2.0
PROGRAMS = ("tuspy", "tus-js-client", "tus-js-client parallel", "tus-js-client with creation", "uppy")
UNANSWERED_S = 1.5
"""Longer than the reply waits for the store on a server that is alone."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait for their verdict for a moment only."""
    monkeypatch.setattr(verdicts, "SAFE_WITHIN_S", IMPATIENT_S)


@pytest.fixture
def held(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The first original that the first node puts waits before the store."""
    return gated(monkeypatch, nodes[0].appliance.store, "put")


async def unanswered(sending: "asyncio.Task[ClientResponse]") -> bool:
    return not (await asyncio.wait([sending], timeout=UNANSWERED_S))[0]


async def row_of(node: NodeHost, slug: str) -> Image:
    row = await node.appliance.catalogue.images.get(slug)
    assert isinstance(row, Image)
    return row


async def completed(node: NodeHost, where: str) -> None:
    """Returns once a client that asks how far its upload is hears that it is complete."""

    async def is_complete() -> bool:
        return (await Tus(node).head(where)).status == 200

    await until(is_complete, "a complete upload")


# --- resumable uploads ---


@pytest.mark.usefixtures("impatient")
async def test_the_last_bytes_of_a_tus_upload_are_not_confirmed_before_the_store_has_them(
    nodes: Nodes, held: Gate
) -> None:
    one, data = nodes[0], padded(200_000, 51)
    where = await Tus(one).create(len(data))
    reply = await Tus(one).patch(where, 0, data)
    await problem(reply, "upload-locked")
    assert reply.headers["Retry-After"] == "1"
    for node in nodes:
        asked = await Tus(node).head(where)
        assert (asked.status, asked.headers.get("Upload-Offset")) == (423, None)
    held.open()
    await completed(one, where)
    assert await Tus(one).offset(where) == len(data)
    image = await Tus(one).image(where)
    async with one.silent():
        assert sha256([await Tus(nodes[1]).original(image["slug"])]) == sha256([data])


@pytest.mark.usefixtures("impatient")
async def test_an_upload_that_was_not_confirmed_continues_elsewhere_when_its_node_is_lost(
    nodes: Nodes, held: Gate
) -> None:
    one, two = nodes
    data = padded(200_000, 52)
    where = await Tus(one).create(len(data))
    await problem(await Tus(one).patch(where, 0, data), "upload-locked")
    async with one.lost(), one.silent():
        offset = await Tus(two).offset(where)
        assert offset < len(data)
        assert (await Tus(two).patch(where, offset, data[offset:])).status == 204
    held.open()
    await until(lambda: not one.appliance.resumable.finisher.is_finishing(id_of(where)), "the end of finishing")
    for node in nodes:
        assert sha256([await Tus(node).original(await Tus(node).slug(where))]) == sha256([data])


@pytest.mark.usefixtures("impatient")
async def test_a_creation_with_all_bytes_waits_for_the_store(nodes: Nodes, held: Gate) -> None:
    """Nobody but its reply knows where the upload is."""
    one, data = nodes[0], padded(200_000, 53)
    sending = asyncio.create_task(Tus(one).post(len(data), data))
    await held.reached.wait()
    assert await unanswered(sending)
    held.open()
    reply = await sending
    assert (reply.status, reply.headers["Upload-Offset"]) == (201, str(len(data)))
    assert (await Tus(one).state(reply.headers["Location"]))["state"] == "done"


@pytest.mark.usefixtures("impatient")
async def test_an_assembled_upload_waits_for_the_store(nodes: Nodes, held: Gate) -> None:
    one, data = nodes[0], padded(200_000, 54)
    parts = [await Tus(one).part(data[:50_000]), await Tus(one).part(data[50_000:])]
    sending = asyncio.create_task(Tus(one).post(headers={"Upload-Concat": f"final;{' '.join(parts)}"}))
    await held.reached.wait()
    assert await unanswered(sending)
    held.open()
    assert (await Tus(one).state(await Tus(one).created(await sending)))["state"] == "done"


@pytest.mark.usefixtures("impatient")
async def test_a_complete_upload_by_the_ietfs_draft_waits_for_the_store(nodes: Nodes, held: Gate) -> None:
    one, data = nodes[0], padded(200_000, 55)
    where = await Draft(one).create(data[:50_000])
    sending = asyncio.create_task(Draft(one).patch(where, 50_000, data[50_000:], LAST))
    await held.reached.wait()
    assert await unanswered(sending)
    held.open()
    reply = await sending
    assert (reply.status, (await reply.json())["sha256"]) == (201, sha256([data]))


@pytest.mark.usefixtures("impatient")
async def test_a_head_of_the_ietfs_draft_counts_no_byte_of_an_image_that_is_not_safe(nodes: Nodes, held: Gate) -> None:
    one, data = nodes[0], padded(200_000, 64)
    where = await Draft(one).create(data[:50_000])
    sending = asyncio.create_task(Draft(one).patch(where, 50_000, data[50_000:], LAST))
    await held.reached.wait()
    for node in nodes:
        asked = await Draft(node).head(where)
        assert (asked.status, asked.headers["Retry-After"]) == (503, "1")
        assert not {"Upload-Offset", "Upload-Complete"} & set(asked.headers)
    held.open()
    assert (await sending).status == 201
    assert await Draft(one).offset(where) == len(data)


async def test_the_store_has_what_a_reply_of_the_ietfs_draft_counts(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clients may forget those bytes."""
    monkeypatch.setattr(segment_writer, "FLUSH_EVERY_S", 0.0)
    one, two = segmented
    data = padded(300_000, 56)
    where = await Draft(one).create(data[:30_000])
    assert await content_of(one, where) == data[:30_000]
    assert (await Draft(two).patch(where, 30_000, data[30_000:150_000], MORE)).status == 204
    assert await content_of(one, where) == data[:150_000]
    async with one.lost(), one.silent():
        assert await Draft(two).offset(where) == 150_000
        done = await Draft(two).patch(where, 150_000, data[150_000:], LAST)
        assert (await done.json())["sha256"] == sha256([data])


@pytest.mark.usefixtures("impatient")
async def test_upload_programs_ask_again_until_a_slow_store_has_the_file(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody has to tell them to continue."""
    node_clients()
    one, put = nodes[0], nodes[0].appliance.store.put

    async def put_slowly(*what: Any, **more: Any) -> None:
        await asyncio.sleep(SLOW_S)
        await put(*what, **more)

    monkeypatch.setattr(one.appliance.store, "put", put_slowly)
    files = {client: tmp_path / f"{number}.png" for number, client in enumerate(PROGRAMS)}
    for number, file in enumerate(files.values()):
        file.write_bytes(padded(200_000, 70 + number))
    url = f"http://127.0.0.1:{one.port}"
    ended = await asyncio.gather(*(brought(url, client, file) for client, file in files.items()))
    for upload in ended:
        assert (upload.sha256, upload.again) == (sha256([files[upload.client].read_bytes()]), 0), upload.client


# --- uploads in one request ---


@pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
async def test_an_upload_in_one_request_waits_for_the_store(
    nodes: Nodes, held: Gate, request: pytest.FixtureRequest, is_large: bool
) -> None:
    if is_large:
        request.getfixturevalue("all_large")
    one, data = nodes[0], padded(200_000, 57 + is_large)
    sending = asyncio.create_task(one.client.post("/api/v1/images", data=data))
    await held.reached.wait()
    assert await unanswered(sending)
    held.open()
    reply = await sending
    image = await reply.json()
    row = await row_of(nodes[1], image["slug"])
    assert (reply.status, row.location) == (201, Location.STORE)


async def test_an_upload_whose_file_is_lost_before_it_is_stored_is_sent_again(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, data = nodes[0], padded(200_000, 63)
    headers = {"Idempotency-Key": "sent-again-because-its-file-was-lost-012345"}

    async def lose(image: Image, *_what: object) -> bool:
        one.appliance.spool.landed_path(image.slug).unlink()
        return False

    with monkeypatch.context() as patch:
        patch.setattr(one.appliance.shipper, "ship_within", lose)
        async with asyncio.timeout(20):
            lost = await one.client.post("/api/v1/images", data=data, headers=headers)
    await problem(lost, "store-unavailable")
    again = await one.client.post("/api/v1/images", data=data, headers=headers)
    assert again.status == 201
    assert sha256([await Tus(nodes[1]).original((await again.json())["slug"])]) == sha256([data])


async def test_a_repetition_is_not_answered_with_success_before_the_first_request(nodes: Nodes, held: Gate) -> None:
    one, data = nodes[0], padded(200_000, 59)
    headers = {"Idempotency-Key": "sent-again-while-it-is-stored-0123456789"}
    sending = asyncio.create_task(one.client.post("/api/v1/images", data=data, headers=headers))
    await held.reached.wait()
    for node in nodes:
        again = await node.client.post("/api/v1/images", data=data, headers=headers)
        assert (await problem(again, "idempotency-key-in-use"))["code"]
        assert again.headers["Retry-After"] == "2"
    held.open()
    first = await (await sending).json()
    for node in nodes:
        again = await node.client.post("/api/v1/images", data=data, headers=headers)
        assert (again.status, (await again.json())["slug"]) == (201, first["slug"])


# --- a store that is away ---


async def never(*_arguments: object, **_more: Any) -> None:
    raise StoreUnavailable("The store is away.")


@pytest.mark.parametrize("by_tus", [False, True], ids=["one request", "tus"])
async def test_a_store_that_hangs_and_is_found_to_be_away_is_not_waited_for(
    nodes: Nodes, held: Gate, by_tus: bool
) -> None:
    """The row names the node that has the image then, and others fetch it there."""
    one, two = nodes
    data = padded(200_000, 60 + by_tus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one.appliance.store, "check", never)
        slug = (await Tus(one).slug(await Tus(one).whole(data))) if by_tus else (await one.upload(data))["slug"]
        row = await row_of(two, slug)
        assert (row.location, row.node) == (Location.SPOOL, one.name)
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()


# --- large resumable uploads ---


@pytest.mark.usefixtures("impatient", "all_large")
async def test_the_last_bytes_of_a_large_upload_are_not_confirmed_before_a_segment_has_them(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, data = segmented[0], padded(SEGMENT_BYTES + 50_000, 62)
    tail = gated(monkeypatch, one.appliance.store, "put_range")
    where = await Tus(one).create(len(data))
    await problem(await Tus(one).patch(where, 0, data), "upload-locked")
    tail.open()
    await completed(one, where)
