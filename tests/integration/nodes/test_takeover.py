"""Unfinished uploads of a node that is lost, which continue at another one from what the store has."""

import asyncio
import hashlib

import pytest

from appliance.access.keys import NewKey
from appliance.domain.model import Image, Tombstone
from appliance.nodes import neighbours
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.segments import begun, content_of, finished, id_of, is_empty, stored_at_least
from tests.support.tus_client import Tus, checksum, half_sent, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]


async def test_what_comes_goes_to_the_store(segmented: Nodes) -> None:
    one, data = segmented[0], padded(600_000, 1)
    where = await begun(one, data, 350_000)
    assert await content_of(one, where) == data[:300_000]
    assert await Tus(one).offset(where) == 350_000
    assert await content_of(one, where) == data[:350_000]  # a reply that tells the offset holds on other nodes too
    await finished(one, where, data)
    await until(lambda: is_empty(one, where), "no segment")


async def test_an_upload_of_a_lost_node_continues_at_another(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(600_000, 2)
    where = await begun(one, data, 350_000, title="A cat", passphrase="open sesame")
    async with one.lost():
        refused = await problem(await Tus(two).patch(where, 350_000, data[350_000:]), "offset-mismatch")
        assert refused["limit"] == 300_000
        assert (await Tus(two).patch(where, 300_000, data[300_000:])).status == 204
        image = await Tus(two).image(where)
        assert (image["sha256"], image["title"], image["locked"]) == (sha256([data]), "A cat", True)
    assert (await Tus(one).image(where))["sha256"] == sha256([data])
    await until(lambda: is_empty(two, where), "no segment")


async def test_a_node_that_is_back_drops_what_is_not_its_any_more(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(500_000, 3)
    where = await begun(one, data, 250_000)
    async with one.lost():
        assert await Tus(two).offset(where) == 200_000
    await one.appliance.claims.make()
    await one.appliance.upload_janitor.run()
    assert id_of(where) not in {file.name for file in one.files("spool/uploads")}
    assert await Tus(one).offset(where) == 200_000
    await finished(one, where, data)


async def test_a_node_that_is_back_is_asked_again_at_once(segmented: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = segmented
    data = padded(300_000, 9)
    where = await begun(one, data, 250_000)
    async with one.lost():
        assert await Tus(two).offset(where) == 200_000
    monkeypatch.setattr(neighbours, "KNOWN_S", 3600.0)
    where = await begun(one, data, 250_000)
    assert await Tus(two).offset(where) == 250_000


async def test_a_node_that_only_seemed_lost_confirms_no_bytes(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(500_000, 4)
    where = await Tus(one).create(len(data))
    reader, writer = await half_sent(one.port, where, 0, 400_000, data[:250_000])
    await stored_at_least(one, where, 200_000)
    async with one.lost():
        assert await Tus(two).offset(where) == 200_000
        writer.write(data[250_000:400_000])
        assert b" 423 " in await reader.readline()
        writer.close()
        await finished(two, where, data)


async def test_a_node_that_only_seemed_lost_makes_no_image(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(400_000, 5)
    where = await Tus(one).create(len(data))
    reader, writer = await half_sent(one.port, where, 0, len(data), data[:-1])
    await stored_at_least(one, where, 300_000)
    async with one.lost():
        assert await Tus(two).offset(where) == 300_000
        writer.write(data[-1:])
        assert b" 423 " in await reader.readline()
        writer.close()
        assert (await Tus(two).state(where))["state"] == "receiving"
        await finished(two, where, data)


async def test_a_node_that_answers_keeps_its_uploads(segmented: Nodes, jpeg: bytes) -> None:
    """One that was stopped in good order is about to start again."""
    one, two = segmented
    where = await Tus(one).create(len(jpeg))
    await one.appliance.catalogue.nodes.leave(one.name)
    try:
        await problem(await Tus(two).patch(where, 0, jpeg), "node-unavailable")
    finally:
        assert one.appliance.membership is not None
        await one.appliance.membership._join()
    assert (await Tus(two).patch(where, 0, jpeg)).status == 204


async def test_a_node_that_was_not_heard_itself_takes_nothing_over(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage of the database all nodes look silent. The one that has the upload answers all the same."""
    one, two = segmented
    data = padded(400_000, 18)
    where = await begun(one, data, 250_000)
    monkeypatch.setattr("appliance.nodes.pulse.STEADY_WITHIN_S", 0.0)
    async with one.lost():
        assert await Tus(two).offset(where) == 250_000
        assert (await Tus(two).patch(where, 250_000, data[250_000:])).status == 204
    upload = await two.appliance.catalogue.uploads.get(id_of(where))
    assert upload is not None
    assert upload.node == one.name


async def test_whoever_only_looks_moves_nothing(segmented: Nodes) -> None:
    one, two = segmented
    where = await begun(one, padded(300_000, 6), 100_000)
    async with one.lost(), one.silent():
        await problem(await two.get(where), "node-unavailable")
    assert await Tus(two).offset(where) == 100_000


async def test_an_overdue_upload_of_a_forgotten_node_is_given_up(segmented: Nodes) -> None:
    """Its bytes come back no more, so its link doesn't ask anybody to try again."""
    one, two = segmented
    where = await begun(one, padded(300_000, 19), 200_000)
    slug, uploads = await Tus(one).slug(where), two.appliance.catalogue.uploads
    upload = await uploads.get(id_of(where))
    assert upload is not None
    assert await uploads.move(upload, "box-9")
    await problem(await two.get(f"/i/{slug}"), "node-unavailable")
    await uploads.keep_until(upload.id_hash, int(two.clock()) - 1)
    await two.appliance.upload_janitor.run()
    assert (await two.get(f"/i/{slug}")).status == 410
    assert (await Tus(two).head(where)).status == 410
    assert isinstance(await two.appliance.catalogue.images.get(slug), Tombstone)
    await until(lambda: is_empty(two, where), "no segment")


async def test_what_was_not_verified_is_not_in_the_store(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(600_000, 7)
    where = await begun(one, data, 100_000)
    proof = checksum("sha1", hashlib.sha1(data[100_000:], usedforsecurity=False).digest())
    _, writer = await half_sent(one.port, where, 100_000, 500_000, data[100_000:400_000], proof)
    await until(lambda: any(file.name.endswith(".unverified") for file in one.files("spool/uploads")))
    async with one.lost():
        assert await Tus(two).offset(where) == 100_000
        assert (await Tus(two).patch(where, 100_000, data[100_000:], proof)).status == 204
        assert (await Tus(two).image(where))["sha256"] == sha256([data])
    writer.close()


async def test_an_upload_without_a_segment_starts_over_under_its_link(segmented: Nodes, jpeg: bytes) -> None:
    one, two = segmented
    where = await Tus(one).create(len(jpeg))
    assert (await Tus(one).patch(where, 0, jpeg[:1000])).status == 204
    slug = await Tus(one).slug(where)
    async with one.lost():
        await finished(two, where, jpeg)
        assert await Tus(two).slug(where) == slug


async def test_an_upload_of_a_lost_node_is_given_up_at_another(segmented: Nodes) -> None:
    one, two = segmented
    where = await begun(one, padded(300_000, 8), 200_000)
    async with one.lost():
        assert (await Tus(two).delete(where)).status == 204
        assert (await Tus(two).head(where)).status == 410
    await until(lambda: is_empty(two, where), "no segment")


async def test_a_request_does_not_wait_long_for_what_is_fetched(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = segmented
    data = padded(300_000, 9)
    where = await begun(one, data, 200_000)
    monkeypatch.setattr("appliance.resumable.takeover.WAIT_S", 0.0)
    calls = two.appliance.calls
    assert calls is not None
    async with one.lost():
        # A node that isn't heard itself takes no other for lost, and passes the request on.
        await until(lambda: calls.neighbours.is_lost(one.name), "it is taken for lost")
        moving = await Tus(two).patch(where, 200_000, data[200_000:])
        assert moving.headers["Retry-After"] == "1"
        await problem(moving, "upload-moving")

        async def is_here() -> bool:
            return (await Tus(two).head(where)).status == 200

        await until(is_here)
        await finished(two, where, data)


async def test_several_requests_at_once_move_an_upload_once(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 10)
    where = await begun(one, data, 200_000)
    async with one.lost():
        assert await asyncio.gather(*(Tus(two).offset(where) for _ in range(4))) == [200_000] * 4
        await finished(two, where, data)


async def test_an_upload_by_the_ietfs_draft_continues(segmented: Nodes) -> None:
    one, two = segmented
    data, version = padded(400_000, 11), {"Upload-Draft-Interop-Version": "8"}
    created = await one.client.post("/api/v1/images", data=data[:150_000], headers=version | {"Upload-Complete": "?0"})
    where = created.headers["Location"]
    reply = await one.client.head(where, headers=version)
    assert reply.headers["Upload-Offset"] == "150000"
    async with one.lost():
        offset = await two.client.head(where, headers=version)
        assert (offset.status, offset.headers["Upload-Offset"]) == (204, "150000")  # never below a reply
        sent = version | {
            "Upload-Complete": "?1",
            "Upload-Offset": "150000",
            "Content-Type": "application/partial-upload",
        }
        done = await two.client.patch(where, data=data[150_000:], headers=sent)
        assert (await done.json())["sha256"] == sha256([data])


async def test_a_node_whose_disk_was_replaced_fetches_what_it_had(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, data = segmented[0], padded(300_000, 13)
    where = await begun(one, data, 250_000)
    assert one.appliance.resumable.takeover is not None
    monkeypatch.setattr(one.appliance.resumable.takeover, "_since_s", one.clock() + 60)
    await one.appliance.spool.uploads.remove(id_of(where))
    assert await Tus(one).offset(where) == 200_000
    await finished(one, where, data)


async def test_an_upload_counts_for_its_key_wherever_it_ends(segmented: Nodes) -> None:
    one, two = segmented
    key, text = await one.appliance.access_keys.add(NewKey("Anna"))
    data, headers = padded(300_000, 14), {"Authorization": f"Bearer {text}"}
    where = await Tus(one).created(await Tus(one).post(len(data), headers=headers))
    assert (await Tus(one).patch(where, 0, data[:250_000], headers)).status == 204
    await stored_at_least(one, where, 200_000)
    async with one.lost():
        await finished(two, where, data)
        image = await two.appliance.catalogue.images.get(await Tus(two).slug(where))
        assert isinstance(image, Image)
        assert image.access_key == key.id
