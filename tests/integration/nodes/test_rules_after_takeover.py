"""What was decided about an upload holds after another node took it over: its guest link, its lock, and bans."""

import pytest

from appliance.access.bans import NewBan
from tests.integration.nodes.conftest import Nodes
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.invites import album_with_invite, close, guest
from tests.support.segments import SEGMENT_BYTES, finished, stored_at_least
from tests.support.tus_client import Tus, encoded

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]
HERE = 2 * SEGMENT_BYTES


async def half(nodes: Nodes, data: bytes, headers: dict[str, str] | None = None) -> str:
    """An upload of which the first node has some, and the store too."""
    tus = Tus(nodes[0])
    where = await tus.created(await tus.post(len(data), headers=headers))
    assert (await tus.patch(where, 0, data[:HERE], headers)).status == 204
    await stored_at_least(nodes[0], where, HERE)
    return where


async def test_a_guests_upload_comes_into_the_album_of_its_link(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 31)
    album, invite = await album_with_invite(one, max_images=1)
    where = await half(segmented, data, guest(invite))
    async with one.lost():
        await finished(two, where, data)
        slug = await Tus(two).slug(where)
        shown = await (await two.get(f"/api/v1/albums/{album['slug']}")).json()
        assert slug in [image["slug"] for image in shown["images"]]
        refused = await Tus(two).post(len(data), headers=guest(invite))
        await problem(refused, "invite-full")


async def test_a_guest_link_that_ended_meanwhile_lets_nothing_in(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 32)
    album, invite = await album_with_invite(one)
    where = await half(segmented, data, guest(invite))
    async with one.lost():
        assert await Tus(two).offset(where) == HERE
        assert (await close(two, album, invite)).status == 204
        await problem(await Tus(two).patch(where, HERE, data[HERE:]), "invite-gone")
        shown = await (await two.get(f"/api/v1/albums/{album['slug']}")).json()
        assert len(shown["images"]) == 1


async def test_a_lock_holds_from_the_takeover_on(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 33)
    where = await half(segmented, data, {"Upload-Metadata": encoded(passphrase="open sesame")})
    async with one.lost():
        assert await Tus(two).offset(where) == HERE
        assert (await Tus(two).patch(where, HERE, data[HERE:])).status == 204
        slug = (await Tus(two).image(where))["slug"]
    for node in segmented:
        node.client.session.cookie_jar.clear()  # with the pass that the uploader's browser may have got
        for path in (f"/i/{slug}/original", f"/i/{slug}/small.jpg"):
            refused = await node.get(path)
            assert (refused.status, (await refused.json())["code"]) == (401, "locked")
        assert (await node.get(f"/i/{slug}/original", **{"X-Passphrase": "open sesame"})).status == 200


async def test_a_client_who_was_banned_meanwhile_continues_nowhere(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 34)
    where = await half(segmented, data)
    await one.appliance.bans.add(NewBan("127.0.0.1", force=True))
    try:
        await two.appliance.bans.load()
        async with one.lost():
            await problem(await Tus(two).patch(where, HERE, data[HERE:]), "banned")
    finally:
        await one.appliance.bans.remove("127.0.0.1")
        await two.appliance.bans.load()
    await finished(two, where, data)
