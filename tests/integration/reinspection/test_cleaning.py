"""`reinspect --clean` takes out of stored originals what uploads lose today, and all that tells of them agrees."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.file_edits import Findings
from appliance.domain.model import Image, Location, PrivateData
from appliance.domain.slugs import object_key, sidecar_key
from appliance.lifecycle.record_reader import RecordReader
from appliance.objectstore.records import sidecar_of
from tests.support.gates import gated, row
from tests.support.host import Host, bearer
from tests.support.images import pictures, private_pictures
from tests.support.images.private_pictures import secrets_in
from tests.support.managed_images import original, resource
from tests.support.stored_before import agreeing, only, set_columns, uploaded_before
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def host(shared: Host) -> Host:
    return shared


async def test_a_stored_original_loses_what_uploads_lose_today(host: Host) -> None:
    image = await uploaded_before(host)
    slug, sent = image["slug"], private_pictures.jpeg()
    assert await original(host, slug) == sent
    step = await host.appliance.reinspector.step(only(slug, clean=True))
    assert step.counts == {"cleaned": 1}
    told = await agreeing(host, slug)
    stored = await original(host, slug)
    assert secrets_in(stored) == []
    assert told["private_data"] == "removed"
    assert told["sha256"] != image["sha256"]
    assert pictures.opened(stored).tobytes() == pictures.opened(sent).tobytes()
    assert (await row(host, slug)).location is Location.STORE
    assert [path.parent.name for path in host.files("spool") if slug in path.name] == ["copies"]


async def test_what_was_cleaned_once_is_not_written_again(host: Host) -> None:
    slug = (await uploaded_before(host, private_pictures.png(), "photo.png"))["slug"]
    await host.appliance.reinspector.step(only(slug, clean=True))
    before = await row(host, slug)
    assert (await host.appliance.reinspector.step(only(slug, clean=True))).counts == {}
    assert await row(host, slug) == before


async def test_clients_and_shared_caches_see_a_new_version(host: Host) -> None:
    image = await uploaded_before(host)
    address, api = f"/i/{image['slug']}/original", f"/api/v1/images/{image['slug']}"
    etag, version = [(await host.get(path)).headers["ETag"] for path in (address, api)]
    await host.appliance.reinspector.step(only(image["slug"], clean=True))
    assert (await host.get(address, if_none_match=etag)).status == 200
    reply = await host.client.patch(
        api, json={"title": "x"}, headers=bearer(image["delete_token"]) | {"If-Match": version}
    )
    assert reply.status == 412


async def test_an_original_whose_metadata_is_to_stay_is_left_alone(host: Host) -> None:
    sent = private_pictures.jpeg()
    asked = (await host.upload(sent, keep_metadata="true"))["slug"]
    unknown = (await uploaded_before(host))["slug"]
    await set_columns(host, unknown, keep_metadata=None, private_data="kept")
    for slug in (asked, unknown):
        assert (await host.appliance.reinspector.step(only(slug, clean=True))).counts == {"kept": 1}
    assert await original(host, asked) == await original(host, unknown) == sent


async def test_credits_stay_where_they_were_asked_for(host: Host) -> None:
    slug = (await uploaded_before(host))["slug"]
    await set_columns(host, slug, keep_metadata="credits")
    await host.appliance.reinspector.step(only(slug, clean=True))
    stored = await original(host, slug)
    assert b"2024:05:06 07:08:09" in stored
    assert secrets_in(stored) == []


async def test_a_dry_run_cleans_nothing_and_says_what_would_be(host: Host) -> None:
    slug = (await uploaded_before(host))["slug"]
    before = await row(host, slug)
    step = await host.appliance.reinspector.step(only(slug, clean=True, dry_run=True))
    assert step.counts == {"cleaned": 1}
    assert step.examples == (f"{slug}: metadata is removed from the original",)
    assert await row(host, slug) == before
    assert await original(host, slug) == private_pictures.jpeg()


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_can_not_be_cleaned_is_counted(host: Host, dry_run: bool) -> None:
    cut_short = pictures.saved(pictures.quarters(), "avif")[:-50]
    slug = (await uploaded_before(host, cut_short, "photo.avif"))["slug"]
    step = await host.appliance.reinspector.step(only(slug, clean=True, dry_run=dry_run))
    assert step.counts["not-removable"] == 1
    assert (await row(host, slug)).private_data is (PrivateData.REMOVED if dry_run else PrivateData.NOT_REMOVABLE)


async def test_an_image_that_changes_each_time_is_counted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    image = await uploaded_before(host)
    examine = host.appliance.reinspector._examiner.metadata

    async def changing_meanwhile(*given: Any) -> Findings:
        title = f"{(await row(host, image['slug'])).version}"
        assert (await host.patch(image["slug"], image["delete_token"], title=title)).status == 200
        return await examine(*given)

    monkeypatch.setattr(host.appliance.reinspector._examiner, "metadata", changing_meanwhile)
    assert (await host.appliance.reinspector.step(only(image["slug"], clean=True))).counts == {"failed": 1}


async def test_an_original_with_other_bytes_than_its_row_says_is_reported_and_left_as_it_is(host: Host) -> None:
    slug = (await uploaded_before(host))["slug"]
    await set_columns(host, slug, sha256=bytes(32))
    info = await host.appliance.store.stat(object_key(slug))
    path = host.appliance.spool.copy_path(slug)
    await host.appliance.store.put(
        object_key(slug), path, media_type="image/jpeg", metadata={**info.metadata, "sha256": "00" * 32}
    )
    before = await row(host, slug)
    assert (await host.appliance.reinspector.step(only(slug, clean=True))).counts == {"different": 1}
    assert await row(host, slug) == before


async def test_a_row_behind_its_object_is_brought_in_line(host: Host) -> None:
    """As after a restore of a backup that is older than a cleaning, without asking the store."""
    slug = (await uploaded_before(host))["slug"]
    await host.appliance.reinspector.step(only(slug, clean=True))
    right = await row(host, slug)
    await set_columns(host, slug, sha256=bytes(32), private_data="none")
    assert (await host.appliance.reinspector.step(only(slug, clean=True))).counts == {"changed": 1}
    found = await row(host, slug)
    assert (found.sha256, found.private_data) == (right.sha256, right.private_data)


# --- what others do meanwhile -------------------------------------------------------------------------------------


async def test_an_image_that_is_deleted_while_it_is_cleaned_stays_deleted(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await uploaded_before(host)
    held = gated(monkeypatch, host.appliance.spool, "land", after=True)
    cleaning = asyncio.create_task(host.appliance.reinspector.step(only(image["slug"], clean=True)))
    await held.reached.wait()
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    held.open()
    assert (await cleaning).counts == {}
    assert await host.erase() == 1
    assert [path for path in host.files(".") if image["slug"] in path.name and "tombstones" not in path.parts] == []


async def test_readers_get_one_version_or_the_other_while_an_original_is_replaced(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await uploaded_before(host))["slug"]
    before = await row(host, slug)
    held = gated(monkeypatch, host.appliance.spool, "land", after=True)
    cleaning = asyncio.create_task(host.appliance.reinspector.step(only(slug, clean=True)))
    await held.reached.wait()
    reading = asyncio.create_task(host.get(f"/i/{slug}/original"))
    sizing = asyncio.create_task(host.get(f"/i/{slug}/small.jpg"))
    await asyncio.sleep(0)
    held.open()
    await cleaning
    late = await reading  # its headers were made for the bytes of before
    assert late.status in (200, 503)
    if late.status == 200:
        assert late.headers["ETag"] == f'"{(await row(host, slug)).sha256[:32]}"'
    assert (await sizing).status == 200
    with pytest.raises(Exception, match="replaced a moment ago"):
        await host.appliance.delivery.original(before)
    await agreeing(host, slug)


async def test_a_fetch_that_began_before_leaves_no_copy_of_the_bytes_of_before(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await uploaded_before(host))["slug"]
    host.appliance.spool.copy_path(slug).unlink()
    held = gated(monkeypatch, host.appliance.catalogue.images, "revise")
    cleaning = asyncio.create_task(host.appliance.reinspector.step(only(slug, clean=True)))
    await held.reached.wait()
    sizing = asyncio.create_task(host.get(f"/i/{slug}/small.jpg"))
    await asyncio.sleep(0)
    held.open()
    await cleaning
    assert (await sizing).status == 200
    await agreeing(host, slug)


async def test_an_original_that_waits_for_the_store_is_left_for_a_later_run(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await uploaded_before(host))["slug"]
    await set_columns(host, slug, location="spool")
    host.appliance.spool.copy_path(slug).rename(host.appliance.spool.landed_path(slug))
    assert (await host.appliance.reinspector.step(only(slug, clean=True))).counts == {"unshipped": 1}
    assert await original(host, slug) == private_pictures.jpeg()


async def test_a_title_that_is_given_before_the_cleaned_original_is_shipped_stays(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await uploaded_before(host)
    held = gated(monkeypatch, host.appliance.store, "put")
    cleaning = asyncio.create_task(host.appliance.reinspector.step(only(image["slug"], clean=True)))
    await held.reached.wait()
    assert (await host.patch(image["slug"], image["delete_token"], title="Meanwhile")).status == 200
    held.open()
    await cleaning
    await until(lambda: not host.appliance.shipper.backlog)
    assert (await agreeing(host, image["slug"]))["title"] == "Meanwhile"


# --- without the catalogue ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("newer", ["object", "sidecar"])
async def test_a_rebuild_between_object_and_sidecar_takes_the_bytes_from_the_object(host: Host, newer: str) -> None:
    slug = (await uploaded_before(host))["slug"]
    before = await row(host, slug)
    sidecar = before if newer == "object" else replace(before, sha256="ab" * 32, bytes=1, version=9)
    if newer == "object":
        await host.appliance.reinspector.step(only(slug, clean=True))
    await host.appliance.store.put_bytes(sidecar_key(slug), sidecar_of(sidecar), media_type="application/json")
    stored = await host.appliance.store.stat(object_key(slug))
    found = await RecordReader(host.appliance.store, host.appliance.config.sidecars_dir).image(slug, stored)
    assert isinstance(found, Image)
    assert (found.sha256, found.bytes) == (stored.metadata["sha256"], stored.bytes)
    assert found.private_data is (PrivateData.REMOVED if newer == "object" else PrivateData.KEPT)
    assert (await resource(host, slug))["sha256"] == found.sha256
