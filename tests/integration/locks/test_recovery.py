"""Locks outlive the catalogue; and where one can't be read any more, nothing but the delete token opens the image."""

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from appliance.catalogue.opening import catalogue_file
from appliance.commands.catalogue import rebuild
from appliance.commands.merge import merge
from appliance.config.model import Config
from appliance.domain.errors import StoreUnavailable
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.objectstore import open_store
from tests.support.albums import made, patch, uploaded
from tests.support.host import Host, ManualClock, bearer, running
from tests.support.images import pictures
from tests.support.server_process import ServerProcess, serving

PASSPHRASE = "open sesame"


async def test_a_rebuilt_catalogue_locks_what_was_locked_and_what_may_have_been(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        locked, later, titled, lost, spoilt = await uploaded(host, 3) + await uploaded(host, 2, passphrase=PASSPHRASE)
        for image in (locked, later):
            assert (await host.patch(image["slug"], image["delete_token"], passphrase=PASSPHRASE)).status == 200
        await host.patch(titled["slug"], titled["delete_token"], title="Never locked")
        album = await made(host, [locked], passphrase=PASSPHRASE)
        await host.appliance.shipper.check_and_enqueue()
        await host.appliance.image_lifecycle.sync_records()
        await host.appliance.album_lifecycle.sync_records()
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    sidecar_of(config, lost).unlink()
    for image in (later, spoilt):
        sidecar_of(config, image).write_text("{")

    assert await asyncio.to_thread(rebuild, config) == 1
    assert "does not describe an image" in capsys.readouterr().err
    async with running(config, clock) as host:
        for page in (f"/i/{locked['slug']}", f"/i/{later['slug']}", f"/a/{album['slug']}"):
            assert await opens(host, page)
        assert (await host.get(f"/i/{titled['slug']}/original")).status == 200
        for image in (lost, spoilt):
            assert not await opens(host, f"/i/{image['slug']}")
            address = f"/api/v1/images/{image['slug']}"
            assert (await host.client.get(address, headers=bearer(image["delete_token"]))).status == 200
        page = await (await host.client.get(f"/i/{lost['slug']}", headers={"Accept": "text/html"})).text()
        assert "Its passphrase was lost on this host." in page
        assert (await host.patch(lost["slug"], lost["delete_token"], passphrase=None)).status == 200
        assert (await host.get(f"/i/{lost['slug']}/original")).status == 200


async def opens(host: Host, path: str) -> bool:
    """Whether the passphrase opens it, and nothing does without."""
    host.client.session.cookie_jar.clear()
    assert (await host.get(path)).status == 401
    reply = await host.client.post(f"{path}/unlock", data={"passphrase": PASSPHRASE}, allow_redirects=False)
    return reply.status == 303 and (await host.client.get(path)).status == 200


def sidecar_of(config: Config, image: dict[str, Any]) -> Path:
    [path] = (config.data_dir / "store/objects/meta").rglob(f"{image['slug']}.json")
    return path


async def test_a_later_lock_outlives_its_sidecar(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """Its object has no mark, so without a record of its own the image would be open to everybody."""
    clock = ManualClock()
    async with running(config, clock) as host:
        locked, once, opened, spoilt = images = await uploaded(host, 4)
        for image in (locked, opened, spoilt):
            await host.patch(image["slug"], image["delete_token"], passphrase=PASSPHRASE)
        await host.patch(once["slug"], once["delete_token"], one_view=True)
        assert record_of_lock(config, opened).exists()
        await host.patch(opened["slug"], opened["delete_token"], passphrase=None)
    assert not record_of_lock(config, opened).exists()
    record_of_lock(config, spoilt).write_text("{")
    for image in images:
        sidecar_of(config, image).unlink()
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()

    assert await asyncio.to_thread(rebuild, config) == 1
    assert "it stays in force" in capsys.readouterr().err
    async with running(config, clock) as host:
        assert await opens(host, f"/i/{locked['slug']}")
        assert not await opens(host, f"/i/{spoilt['slug']}")
        assert (await host.get(f"/i/{once['slug']}/original")).status == 401
        assert (await host.client.post(f"/i/{once['slug']}/view")).status == 200
        assert (await host.get(f"/i/{opened['slug']}/original")).status == 200
        await host.appliance.image_lifecycle.sync_records()
        assert sidecar_of(config, locked).exists()


async def test_a_lock_that_came_while_the_store_was_away_reaches_it_later(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change and its record are one transaction."""

    async def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("The drive is unplugged.")

    clock = ManualClock()
    async with running(config, clock) as host:
        [image] = await uploaded(host, 1)
        monkeypatch.setattr(type(host.appliance.store), "put_bytes", fail)
        assert (await host.patch(image["slug"], image["delete_token"], passphrase=PASSPHRASE)).status == 200
        assert not record_of_lock(config, image).exists()
        monkeypatch.undo()
    async with running(config, clock) as host:
        await host.appliance.access_records.settle_due()
        assert record_of_lock(config, image).exists()
        await host.client.delete(f"/api/v1/images/{image['slug']}", headers=bearer(image["delete_token"]))
        clock.forward(60)
        await host.appliance.image_lifecycle.erase()
        await host.appliance.access_records.settle_due()
        assert not record_of_lock(config, image).exists()


def record_of_lock(config: Config, image: dict[str, Any]) -> Path:
    return config.data_dir / "store/objects/records/locks" / f"{image['slug']}.json"


async def test_a_backup_from_before_a_lock_is_brought_up_to_it(config: Config) -> None:
    """Also where the store's record of it can't be read any more."""
    clock = ManualClock()
    async with running(config, clock) as host:
        known, lost, spoilt = await uploaded(host, 3)
        album = await made(host, [known])
        await host.appliance.shipper.check_and_enqueue()
        await host.appliance.album_lifecycle.sync_records()
        copy = config.data_dir / "copy.sqlite"
        await catalogue_file(config).copy_to(copy)
        for image in (known, lost, spoilt):
            await host.patch(image["slug"], image["delete_token"], passphrase=PASSPHRASE)
        await patch(host, album, passphrase=PASSPHRASE)
        locks = [(await host.appliance.delivery.resolve(image["slug"])).lock for image in (known, lost)]
        locks += [UNREADABLE_LOCK, UNREADABLE_LOCK]
    for image in (lost, spoilt):
        sidecar_of(config, image).write_text("")
    record_of_lock(config, spoilt).unlink()
    [record] = (config.data_dir / "store/objects/albums").rglob("*.json")
    record.write_text("")
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    copy.rename(config.data_dir / "catalogue.sqlite")
    store = open_store(config.store, config.data_dir)
    await store.start()
    await merge(store, catalogue_file(config), 0.0, config.spool_dir, whole=True)
    await store.close()
    async with running(config, clock) as host:
        images = [await host.appliance.delivery.resolve(image["slug"]) for image in (known, lost, spoilt)]
        row = await host.appliance.catalogue.albums.get(album["slug"])
        assert row is not None
        assert [*(image.lock for image in images), row.lock] == locks


async def test_a_killed_server_shows_one_view_whole_to_one_browser_alone(tmp_path: Path) -> None:
    noise = pictures.saved(Image.effect_noise((3600, 2600), 80), "png", compress_level=0)
    async with serving(tmp_path / "data") as served:
        async with aiohttp.ClientSession() as viewer:
            added = await viewer.put(f"{served.url}/once.png?one_view=true", data=io.BytesIO(noise))
            slug = (await added.text()).strip().rpartition("/")[2]
            reply = await viewer.post(f"{served.url}/i/{slug}/view")
            await reply.content.readexactly(1000)
            served.kill()
            await served.start()
            assert await view(served, slug) == (409, 0)
            status, length = await view(served, slug, reply.cookies["view"].value)
            assert (status, length > 1_000_000) == (200, True)
            served.kill()
            await served.start()
            assert (await view(served, slug, reply.cookies["view"].value))[0] == 410
        assert await served.stop() == 0


async def view(served: ServerProcess, slug: str, ticket: str = "") -> tuple[int, int]:
    """The status, and how many bytes of an image came."""
    async with (
        aiohttp.ClientSession(cookies={"view": ticket}) as session,
        session.post(f"{served.url}/i/{slug}/view") as reply,
    ):
        body = await reply.read()
        return reply.status, len(body) if reply.content_type.startswith("image/") else 0
