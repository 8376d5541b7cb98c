"""Resumable uploads whose requests reach another node than the one with their bytes."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient

from appliance.domain import tokens
from appliance.domain.resumable_uploads import UploadState
from appliance.http.keys import EVENT_STREAMS
from appliance.nodes import neighbours
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost, two_nodes
from tests.support.postgres import new_schema
from tests.support.servers import Server
from tests.support.tus_client import UPLOADS, Tus, half_sent, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_upload_goes_on_at_any_node(nodes: Nodes) -> None:
    one, two = (Tus(node) for node in nodes)
    data = padded(3_000_000, 1)
    where = await one.create(len(data), filename="cat.jpg")
    assert (await two.patch(where, 0, data[:1_000_000])).status == 204
    assert await one.offset(where) == await two.offset(where) == 1_000_000
    assert (await one.patch(where, 1_000_000, data[1_000_000:2_000_000])).status == 204
    finished = await two.patch(where, 2_000_000, data[2_000_000:])
    assert (finished.status, finished.headers["Upload-Offset"]) == (204, str(len(data)))
    image = await two.image(where)
    assert image["sha256"] == sha256([data])
    original = await nodes[1].get(f"/i/{image['slug']}/original")
    assert sha256([await original.read()]) == sha256([data])


async def test_a_wrong_offset_is_said_as_its_node_says_it(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    assert (await problem(await two.patch(where, 5, jpeg[5:]), "offset-mismatch"))["limit"] == 0


async def test_an_upload_is_given_up_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    assert (await two.patch(where, 0, jpeg[:1000])).status == 204
    assert (await two.delete(where)).status == 204
    assert (await one.head(where)).status == (await two.head(where)).status == 410
    assert not [file for node in nodes for file in node.files("spool/uploads")]


async def test_whoever_has_the_link_sees_the_progress_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    assert (await one.patch(where, 0, jpeg[:1000])).status == 204
    slug = (await two.state(where))["image"]["slug"]
    pending = await (await two.host.get(f"/api/v1/images/{slug}")).json()
    assert (pending["state"], pending["offset"]) == ("receiving", 1000)
    assert "1000" in await (await two.host.get(f"/i/{slug}")).text()
    events = await two.host.client.get(f"/api/v1/images/{slug}/events")
    assert b'"offset": 1000' in await events.content.readuntil(b"\n\n")
    assert (await two.patch(where, 1000, jpeg[1000:])).status == 204
    async with asyncio.timeout(20):
        assert b"event: done" in await events.content.read()


async def test_those_who_watch_at_another_node_stop_no_upload_there(
    tmp_path: Path, postgres: Server, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "MAX_CONNECTIONS", 1)
    async with two_nodes(tmp_path, new_schema(postgres)) as (one, two):
        where = await Tus(one).create(len(jpeg))
        events = f"/api/v1/images/{await Tus(one).slug(where)}/events"
        listening = [await two.get(events) for _ in range(3)]
        for each in listening:
            assert b'"offset": 0' in await each.content.readuntil(b"\n\n")
        assert (await Tus(two).patch(where, 0, jpeg)).status == 204
        for each in listening:
            async with asyncio.timeout(20):
                assert b"event: done" in await each.content.read()


async def test_those_who_watch_at_another_node_count_as_listeners_here(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    where = await Tus(one).create(len(jpeg))
    events = f"/api/v1/images/{await Tus(one).slug(where)}/events"
    limit = two.site[EVENT_STREAMS].limit
    monkeypatch.setattr(limit, "limit", 1)
    listening = await two.get(events)
    await listening.content.readuntil(b"\n\n")
    await problem(await two.get(events), "busy")
    assert (await Tus(two).patch(where, 0, jpeg)).status == 204
    async with asyncio.timeout(20):
        assert b"event: done" in await listening.content.read()
    await until(lambda: limit.in_use == 0, "a free place")


async def test_what_is_closed_is_closed_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg), passphrase="open sesame")
    slug = (await two.state(where))["image"]["slug"]
    for node in nodes:
        reply = await node.get(f"/api/v1/images/{slug}")
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in reply.headers


async def test_the_owner_of_an_unfinished_upload_deletes_it_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    await one.patch(where, 0, jpeg[:1000])
    image = (await two.state(where))["image"]
    assert (await nodes[1].delete(image["slug"], image["delete_token"])).status == 204
    assert (await nodes[0].get(f"/i/{image['slug']}")).status == 410


async def test_parts_of_one_node_are_assembled_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    parts = [await one.part(jpeg[:5000]), await one.part(jpeg[5000:])]
    where = await two.created(await two.post(headers={"Upload-Concat": f"final;{' '.join(parts)}"}))
    assert (await two.image(where))["sha256"] == sha256([jpeg])


@pytest.mark.usefixtures("patient_nodes")
async def test_parts_of_several_nodes_are_brought_together(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    parts = [await one.part(jpeg[:5000]), await two.part(jpeg[5000:9000]), await one.part(jpeg[9000:])]
    final = {"Upload-Concat": f"final;{' '.join(parts)}"}
    where = await two.created(await two.post(headers=final))
    assert (await one.image(where))["sha256"] == sha256([jpeg])
    assert await one.created(await one.post(headers=final)) == where  # for a client whose reply was lost
    for node in nodes:
        await node.appliance.upload_janitor.run()
        assert not [file for file in node.files("spool/uploads") if file.stat().st_size in (4000, 5000)]


async def test_an_unfinished_part_of_another_node_is_not_assembled(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    whole = await one.part(jpeg[:5000])
    unfinished = await two.created(await two.post(5000, headers={"Upload-Concat": "partial"}))
    await two.patch(unfinished, 0, jpeg[:10])
    reply = await one.post(headers={"Upload-Concat": f"final;{whole} {unfinished}"})
    await problem(reply, "parts-unfinished")
    assert await one.offset(unfinished) == 10


async def test_what_arrived_before_a_connection_broke_is_kept(nodes: Nodes) -> None:
    one, two = (Tus(node) for node in nodes)
    data = padded(600_000, 5)
    where = await one.create(len(data))
    _, writer = await half_sent(nodes[1].port, where, 0, len(data), data[:400_000])
    writer.close()

    async def has_it() -> bool:
        return bool((await one.state(where))["offset"] == 400_000)

    await until(has_it)
    assert (await two.patch(where, 400_000, data[400_000:])).status == 204
    assert (await two.image(where))["sha256"] == sha256([data])


async def test_an_upload_by_the_ietfs_draft_goes_on_at_any_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (node.client for node in nodes)
    version = {"Upload-Draft-Interop-Version": "8"}
    created = await one.post("/api/v1/images", data=jpeg[:3000], headers=version | {"Upload-Complete": "?0"})
    where = created.headers["Location"]
    offset = await two.head(where, headers=version)
    assert (offset.status, offset.headers["Upload-Offset"]) == (204, "3000")
    sent = version | {"Upload-Complete": "?1", "Upload-Offset": "3000", "Content-Type": "application/partial-upload"}
    done = await two.patch(where, data=jpeg[3000:], headers=sent)
    assert done.status == 201
    assert (await done.json())["sha256"] == sha256([jpeg])


async def test_tuspy_moves_from_node_to_node(nodes: Nodes) -> None:
    data = padded(2_000_000, 3)

    def send() -> str:
        urls = [f"http://127.0.0.1:{node.port}" for node in nodes]
        uploader: Any = TusClient(urls[0] + UPLOADS).uploader(
            file_stream=io.BytesIO(data), metadata={"filename": "cat.jpg"}, chunk_size=300_000
        )
        uploader.upload_chunk()
        path: str = uploader.url.removeprefix(urls[0])
        for turn in range(1, 7):
            uploader.url = urls[turn % 2] + path
            uploader.upload_chunk()
        return path

    where = await asyncio.to_thread(send)
    assert (await Tus(nodes[0]).image(where))["sha256"] == sha256([data])


async def test_an_upload_on_a_node_that_does_not_answer_can_be_resumed_later(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    async with nodes[0].silent():
        for reply in (await two.head(where), await two.patch(where, 0, jpeg), await two.delete(where)):
            assert reply.status == 503
            assert int(reply.headers["Retry-After"]) > 0
        await problem(await two.host.get(where), "node-unavailable")
    assert (await two.patch(where, 0, jpeg)).status == 204


async def test_no_other_node_gives_an_upload_up(nodes: Nodes, jpeg: bytes) -> None:
    """All its bytes may be there, and acknowledged."""
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    nodes[1].clock.forward(2 * 86_400)
    rows, id_hash = nodes[1].appliance.catalogue.uploads, tokens.hash_secret(where.rpartition("/")[2])
    for node, state in ((nodes[1], UploadState.RECEIVING), (nodes[0], UploadState.GONE)):
        await node.appliance.upload_janitor.run()
        row = await rows.get(id_hash)
        assert row is not None
        assert row.state is state
    assert (await two.head(where)).status == 410
