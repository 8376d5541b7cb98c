"""Invites, and what guests added, outlive a crash and the catalogue itself; a closed one stays closed."""

import asyncio
from pathlib import Path

import aiohttp

from appliance.commands.catalogue import rebuild
from appliance.config.model import Config
from tests.support.access import form
from tests.support.albums import delete, shown, slugs_of
from tests.support.host import Host, ManualClock, bearer, problem, running
from tests.support.images import pictures
from tests.support.invites import add, album_with_invite, close, guest, invited, listed
from tests.support.server_process import ServerProcess


async def test_a_rebuild_brings_invites_back_and_closed_ones_stay_closed(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        album, invite = await album_with_invite(host, max_images=2)
        closed = await invited(host, album)
        assert (await add(host, invite, jpeg)).status == 201
        assert (await close(host, album, closed)).status == 204
        await host.appliance.album_lifecycle.sync_records()
        before, known = slugs_of((await shown(host, album))["images"]), await listed(host, album)
        assert await host.appliance.catalogue.records.due() == []
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    assert await asyncio.to_thread(rebuild, config) == 0
    async with running(config, clock) as host:
        assert await listed(host, album) == known
        assert slugs_of((await shown(host, album))["images"]) == before
        await problem(await add(host, closed, jpeg), "invite-gone")
        assert (await add(host, invite, jpeg)).status == 201
        await problem(await add(host, invite, jpeg), "invite-full")


async def test_nothing_is_left_of_invites_when_their_album_is_erased(host: Host, jpeg: bytes) -> None:
    album, invite = await album_with_invite(host)
    assert len(host.files("store/objects/records")) == 1
    assert (await delete(host, album)).status == 204
    host.clock.forward(11)
    await host.appliance.album_lifecycle.erase()
    await host.appliance.access_records.settle_due()
    assert host.files("store/objects/records") == []
    await problem(await add(host, invite, jpeg), "unknown-invite")


async def test_an_acknowledged_image_is_in_the_album_after_a_kill(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    try:
        await served.start()
        async with aiohttp.ClientSession(served.url) as session:
            first = await (await session.post("/api/v1/images", data=form(pictures.photo(60, 40, seed=1)))).json()
            album = await (await session.post("/api/v1/albums", json={"images": [first["slug"]]})).json()
            path, owner = f"/api/v1/albums/{album['slug']}/invites", bearer(album["delete_token"])
            invite = await (await session.post(path, json={}, headers=owner)).json()
            added = await session.post("/api/v1/images", data=pictures.photo(60, 40, seed=2), headers=guest(invite))
            second = (await added.json())["slug"]
        served.kill()
        await served.start()
        async with aiohttp.ClientSession(served.url) as session:
            kept = await (await session.get(f"/api/v1/albums/{album['slug']}")).json()
            assert slugs_of(kept["images"]) == [first["slug"], second]
            [known] = (await (await session.get(path, headers=owner)).json())["invites"]
            assert known["images"] == 1
    finally:
        served.abandon()
