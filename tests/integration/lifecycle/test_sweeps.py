"""Sweeps compare files with rows and repair the difference; sidecars in the store follow the rows."""

import logging
from typing import Any

import pytest

from appliance.domain.errors import StoreUnavailable
from appliance.domain.slugs import mint, object_key, sidecar_key
from appliance.objectstore.records import image_from
from tests.support.gates import row
from tests.support.host import Host
from tests.support.images import pictures
from tests.support.managed_images import status
from tests.support.waiting import until

TINY = pictures.one_pixel()


async def test_the_spool_sweep_brings_files_in_line_with_their_rows(host: Host) -> None:
    shipped, erased = await host.upload(TINY), await host.upload(TINY)
    await host.delete(erased["slug"], erased["delete_token"])
    await host.erase()
    landed = host.appliance.config.spool_dir / "landed"
    copies = host.appliance.config.spool_dir / "copies"
    (copies / shipped["slug"]).rename(landed / shipped["slug"])  # a crash right after the commit
    unknown = mint(host.clock())
    for slug in (erased["slug"], unknown):
        (landed / slug).write_bytes(TINY)
    assert await host.appliance.sweeps.spool() == 0, "young files are left to their uploads"
    assert await host.appliance.sweeps.spool(older_than_s=-60) == 3
    assert [path.relative_to(host.appliance.config.spool_dir).as_posix() for path in host.files("spool")] == [
        f"copies/{shipped['slug']}",
        f"orphans/{unknown}",
    ]
    assert await host.appliance.sweeps.spool(older_than_s=-60) == 0


async def test_the_spool_sweep_leaves_what_waits_for_the_store(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_arguments: object, **_more: object) -> None:
        raise StoreUnavailable("The store is away.")

    monkeypatch.setattr(host.appliance.store, "put", away)
    image = await host.upload(TINY)
    assert await host.appliance.sweeps.spool(older_than_s=-60) == 0
    assert [path.name for path in host.files("spool/landed")] == [image["slug"]]
    assert await status(host, image) == 200


async def test_the_upload_sweep_removes_what_nobody_receives_any_more(host: Host) -> None:
    stale, fresh = mint(host.clock()), mint(host.clock())
    for slug in (stale, fresh):
        (host.appliance.config.spool_dir / "incoming" / slug).write_bytes(b"half")
    assert await host.appliance.sweeps.uploads() == 0
    assert await host.appliance.spool.drop_stalled(older_than_s=-60) == 2


async def test_the_orphan_report_counts_and_deletes_nothing(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.appliance.sweeps.batch = 2
    for _ in range(3):
        await host.upload(TINY)
    strangers = [mint(host.clock()) for _ in range(3)]
    keys = [*(object_key(slug) for slug in strangers), "originals/0000/no-slug"]
    for key in keys:
        await host.appliance.store.put_bytes(key, TINY, media_type="image/png")
    with caplog.at_level(logging.WARNING):
        assert await host.appliance.sweeps.orphans() == 4
    assert "4 objects have no row" in caplog.text
    assert len(host.files("store/objects/originals")) == 7


async def test_what_came_to_the_store_after_the_erasing_is_deleted(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    for key in (object_key(image["slug"]), sidecar_key(image["slug"])):
        await host.appliance.store.put_bytes(key, b"late", media_type="image/jpeg")
    unknown = sidecar_key(mint(host.clock()))
    await host.appliance.store.put_bytes(unknown, b"{}", media_type="application/json")
    assert await host.appliance.sweeps.orphans() == 1
    kept = [path.name for path in host.files("store/objects") if "tombstones" not in path.parts]
    assert kept == [unknown.rpartition("/")[2]]


# --- sidecars ---------------------------------------------------------------------------------------------------------


async def test_a_sidecar_is_in_the_store_before_its_row_says_shipped(host: Host, jpeg: bytes) -> None:
    seen: list[bool] = []
    mark_shipped = host.appliance.catalogue.images.mark_shipped

    async def look_and_mark(slug: str, sha256: str, **more: bool) -> bool:
        seen.append(any(slug in path.name for path in host.files("store/objects/meta")))
        return await mark_shipped(slug, sha256, **more)

    host.appliance.catalogue.images.mark_shipped = look_and_mark  # type: ignore[method-assign]
    await host.upload(jpeg, title="Cat")
    await host.upload(jpeg)
    assert seen == [True, False], "only what the metadata can't hold needs a sidecar"


async def test_an_image_that_ends_while_it_is_shipped_leaves_no_sidecar(host: Host, jpeg: bytes) -> None:
    put = host.appliance.store.put

    async def put_late(key: str, *arguments: Any, **more: Any) -> None:
        await put(key, *arguments, **more)
        slug = key.rpartition("/")[2]
        await host.appliance.catalogue.images.end(slug, now_s=int(host.clock()), erase_after_s=int(host.clock()) + 10)

    host.appliance.store.put = put_late  # type: ignore[method-assign]
    await host.upload(jpeg, title="Cat")
    await until(lambda: not host.appliance.shipper.backlog)
    assert host.files("store/objects") == []


async def test_a_change_is_written_to_the_store_where_a_rebuild_reads_it(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    assert await host.appliance.image_lifecycle.sync_records() == 0
    await host.patch(image["slug"], image["delete_token"], title="猫", expires_in="9d")
    assert await host.appliance.image_lifecycle.sync_records() == 1
    store = host.appliance.store
    info = await store.stat(object_key(image["slug"]))
    reader = await store.open(sidecar_key(image["slug"]))
    sidecar = b"".join([block async for block in reader])
    await reader.aclose()
    assert image_from(info, sidecar) == await row(host, image["slug"])
    assert image_from(info).title is None
    assert await host.appliance.image_lifecycle.sync_records() == 0


async def test_a_sidecar_that_always_fails_holds_up_no_others(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [await host.upload(TINY, title="One") for _ in range(3)]
    for image in images:
        await host.patch(image["slug"], image["delete_token"], title="Two")
    broken = min(sidecar_key(image["slug"]) for image in images)
    real = host.appliance.store.put_bytes

    async def faulty(key: str, *arguments: Any, **more: Any) -> None:
        if key == broken:
            raise StoreUnavailable("This object can't be written.")
        await real(key, *arguments, **more)

    monkeypatch.setattr(host.appliance.store, "put_bytes", faulty)
    with pytest.raises(StoreUnavailable):
        await host.appliance.image_lifecycle.sync_records()
    assert [image.slug for image in await host.appliance.catalogue.images.sidecars_due()] == [broken[-22:-5]]
