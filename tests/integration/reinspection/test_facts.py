"""Stored images are brought up to today's rules: their facts, their states, and what caches keep of them."""

from typing import Any

import pytest

from appliance.domain.errors import CannotResize, StoreUnavailable
from appliance.workers import Worker
from tests.support.gates import row
from tests.support.host import Host, bearer
from tests.support.images import pictures
from tests.support.managed_images import resource
from tests.support.stored_before import object_path, only, set_columns

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def host(shared: Host) -> Host:
    return shared


async def size_of(host: Host, slug: str) -> tuple[int, int]:
    reply = await host.get(f"/i/{slug}/small.png")
    assert reply.status == 200
    return pictures.opened(await reply.read()).size


async def test_facts_that_an_older_release_got_wrong_are_corrected(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await set_columns(host, slug, width=480, height=640)
    assert await size_of(host, slug) == (384, 512)
    step = await host.appliance.reinspector.step(only(slug))
    assert step.counts == {"changed": 1}
    assert step.examples == (f"{slug}: width 480 -> 640, height 640 -> 480",)
    told = await resource(host, slug)
    assert (told["width"], told["height"]) == (640, 480)
    assert await size_of(host, slug) == (512, 384), "what was made by the old facts is still in the cache"


async def test_an_image_whose_facts_stay_is_not_written(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await host.get(f"/i/{slug}/small.png")
    before = await row(host, slug)
    step = await host.appliance.reinspector.step(only(slug))
    assert (step.looked_at, step.counts) == (1, {})
    assert await row(host, slug) == before
    assert await host.appliance.cache.names(slug) == {"small.png"}


async def test_what_only_decoding_costs_is_corrected_without_renewing_any_cache(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await host.get(f"/i/{slug}/small.png")
    right = (await row(host, slug)).facts.memory_bytes
    await set_columns(host, slug, memory_bytes=1)
    assert (await host.appliance.reinspector.step(only(slug))).counts == {"changed": 1}
    assert (await row(host, slug)).facts.memory_bytes == right
    assert await host.appliance.cache.names(slug) == {"small.png"}


async def test_an_image_that_can_be_resized_by_now_becomes_ready(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await set_columns(host, slug, original_only="Its pixels are stored in a way that this host can't decode.")
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 422
    assert (await host.appliance.reinspector.step(only(slug))).counts == {"changed": 1, "ready": 1}
    assert (await resource(host, slug))["state"] == "ready"
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200


async def test_an_image_that_still_fails_to_render_stays_original_only(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> Any:
        raise CannotResize("The pixels can't be decoded.")

    slug = (await host.upload(jpeg))["slug"]
    await set_columns(host, slug, original_only="Decoding its pixels takes longer than this host allows.")
    before = await row(host, slug)
    monkeypatch.setattr(Worker, "render", fails)
    assert (await host.appliance.reinspector.step(only(slug))).counts == {}
    assert await row(host, slug) == before


async def test_an_original_that_is_refused_today_is_left_as_it_is(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    before = await row(host, slug)
    host.appliance.spool.copy_path(slug).unlink()
    object_path(host, slug).write_bytes(b"not an image")
    assert (await host.appliance.reinspector.step(only(slug))).counts == {"unreadable": 1}
    assert await row(host, slug) == before


async def test_an_original_that_the_store_has_lost_is_reported(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    host.appliance.spool.copy_path(slug).unlink()
    object_path(host, slug).unlink()
    step = await host.appliance.reinspector.step(only(slug))
    assert (step.counts, step.examples) == ({"missing": 1}, (f"{slug}: the store has no original",))


async def test_a_fault_with_one_image_holds_up_no_other(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: Any) -> Any:
        raise StoreUnavailable("The store closed the connection.")

    slug = (await host.upload(jpeg))["slug"]
    host.appliance.spool.copy_path(slug).unlink()
    monkeypatch.setattr(host.appliance.store, "fetch", fails)
    assert (await host.appliance.reinspector.step(only(slug))).counts == {"failed": 1}
    assert "an image couldn't be examined" in caplog.text


async def test_an_original_is_read_without_a_copy_for_viewers(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    host.appliance.spool.copy_path(slug).unlink()
    await set_columns(host, slug, frames=7)
    assert (await host.appliance.reinspector.step(only(slug))).counts == {"changed": 1}
    assert [path.parent.name for path in host.files("spool") if slug in path.name] == ["sidecars"]


# --- what others do meanwhile -------------------------------------------------------------------------------------


async def test_an_image_that_is_deleted_meanwhile_stays_deleted(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    await set_columns(host, image["slug"], frames=7)
    real = host.appliance.catalogue.images.revise

    async def deleted_first(*arguments: Any, **more: Any) -> Any:
        assert (await host.delete(image["slug"], image["delete_token"])).status == 204
        return await real(*arguments, **more)

    monkeypatch.setattr(host.appliance.catalogue.images, "revise", deleted_first)
    assert (await host.appliance.reinspector.step(only(image["slug"]))).counts == {}
    assert (await host.get(f"/i/{image['slug']}")).status == 410


async def test_a_title_that_is_changed_meanwhile_stays(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    await set_columns(host, image["slug"], frames=7)
    real, titles = host.appliance.catalogue.images.revise, ["Meanwhile"]

    async def titled_first(*arguments: Any, **more: Any) -> Any:
        if titles:
            await host.patch(image["slug"], image["delete_token"], title=titles.pop())
        return await real(*arguments, **more)

    monkeypatch.setattr(host.appliance.catalogue.images, "revise", titled_first)
    assert (await host.appliance.reinspector.step(only(image["slug"]))).counts == {"changed": 1}
    told = await resource(host, image["slug"])
    assert (told["title"], told["frames"]) == ("Meanwhile", 1)


async def test_a_size_that_is_rendered_by_the_old_facts_meanwhile_is_not_kept(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await set_columns(host, slug, width=480, height=640)
    real = host.appliance.catalogue.images.revise

    async def viewed_first(*arguments: Any, **more: Any) -> Any:
        assert await size_of(host, slug) == (384, 512)
        return await real(*arguments, **more)

    monkeypatch.setattr(host.appliance.catalogue.images, "revise", viewed_first)
    await host.appliance.reinspector.step(only(slug))
    assert await host.appliance.cache.names(slug) == set()
    assert await size_of(host, slug) == (512, 384)


async def test_an_ended_image_is_left_alone(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await set_columns(host, image["slug"], frames=7)
    await host.client.delete(f"/api/v1/images/{image['slug']}", headers=bearer(image["delete_token"]))
    assert (await host.appliance.reinspector.step(only(image["slug"]))).counts == {}
