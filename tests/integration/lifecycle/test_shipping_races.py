"""Races between shipping and the end of an image: nothing is left in the store, and nothing is lost."""

import asyncio
from typing import Any

import pytest

from appliance.domain.clients import HOST
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image, Location
from tests.support.gates import Gate, gated, gone_everywhere, row
from tests.support.host import Host
from tests.support.waiting import until


async def deleted_during_ship(host: Host, held: Gate, jpeg: bytes) -> str:
    """The slug of an image that is deleted and due to be erased while its original is on the way to the store."""
    image = await host.upload(jpeg)
    await held.reached.wait()
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert await host.erase() == 0, "what is on its way could come to the store after the erasing"
    return str(image["slug"])


async def test_what_is_on_its_way_is_erased_once_it_has_arrived(
    patient: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = gated(monkeypatch, patient.appliance.store, "put", after=True)
    slug = await deleted_during_ship(patient, held, jpeg)
    assert len(patient.files("store/objects/originals")) == 1
    held.open()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert await patient.appliance.image_lifecycle.erase() == 1
    await gone_everywhere(patient, slug)


async def test_a_shipment_whose_clean_up_fails_is_retried(
    patient: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.appliance.shipper.queue.first_retry_s = 0.001
    held = gated(monkeypatch, patient.appliance.catalogue.images, "mark_shipped")
    await deleted_during_ship(patient, held, jpeg)
    real, calls = patient.appliance.store.delete, []

    async def faulty_once(key: str) -> None:
        calls.append(key)
        if len(calls) == 1:
            raise StoreUnavailable("The store is away.")
        await real(key)

    monkeypatch.setattr(patient.appliance.store, "delete", faulty_once)
    held.open()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert len(calls) == 2
    assert patient.files("store/objects/originals") == []


async def test_a_sidecar_that_is_written_after_the_erasing_is_deleted(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    await host.patch(image["slug"], image["delete_token"], title="A secret")
    held = gated(monkeypatch, host.appliance.store, "put_bytes")
    writing = asyncio.create_task(host.appliance.image_lifecycle.sync_records())
    await held.reached.wait()
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    held.open()
    assert await writing == 0
    await gone_everywhere(host, image["slug"])


async def test_a_ship_that_meets_a_deletion_which_is_undone_ships_after_all(
    patient: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = gated(monkeypatch, patient.appliance.catalogue.images, "mark_shipped")
    image = await patient.upload(jpeg)
    await held.reached.wait()
    await patient.delete(image["slug"], image["delete_token"])
    held.open()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert patient.files("store/objects/originals") == []
    assert (await patient.patch(image["slug"], image["delete_token"], deleted=False)).status == 200
    await patient.appliance.shipper.enqueue_unshipped()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert (await row(patient, image["slug"])).location is Location.STORE
    assert [path.read_bytes() for path in patient.files("store/objects/originals")] == [jpeg]


async def test_a_second_ship_takes_nothing_from_an_image_that_ended_but_may_come_back(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg)
    slug, parts = resource["slug"], host.appliance
    row = await parts.catalogue.images.get(slug)
    assert isinstance(row, Image)
    await host.delete(slug, resource["delete_token"])
    parts.spool.copy_path(slug).rename(parts.spool.landed_path(slug))  # as when its release failed before
    shipped = parts.shipper.queue.add(row, HOST)
    assert shipped is not None
    assert await shipped
    await host.patch(slug, resource["delete_token"], deleted=False)
    parts.spool.copy_path(slug).unlink()
    assert await (await host.get(f"/i/{slug}/original")).read() == jpeg


async def test_what_the_store_has_by_the_row_is_not_sent_again(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer that it was recorded got lost: another node may replace the object from now on."""
    slug, parts = (await host.upload(jpeg))["slug"], host.appliance
    image = await row(host, slug)
    await until(parts.spool.copy_path(slug).exists)
    parts.spool.copy_path(slug).rename(parts.spool.landed_path(slug))

    async def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("it was sent again")

    monkeypatch.setattr(parts.store, "put", refuse)
    shipped = parts.shipper.queue.add(image, HOST)
    assert shipped is not None
    assert await shipped
    assert parts.spool.copy_path(slug).read_bytes() == jpeg
