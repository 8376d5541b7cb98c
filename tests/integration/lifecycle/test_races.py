"""Races about rows: an owner against the jobs, and everybody against themselves."""

import asyncio

import pytest

from tests.support.gates import gated, gone_everywhere, row
from tests.support.host import DAY_S, Host, bearer, problem
from tests.support.tus_client import Tus


async def test_an_extension_that_comes_while_expiry_runs_wins(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    extended, other = await host.upload(jpeg, expires_in="1d"), await host.upload(jpeg, expires_in="1d")
    host.clock.forward(DAY_S)
    held = gated(monkeypatch, host.appliance.catalogue.images, "due", after=True)
    run = asyncio.create_task(host.appliance.image_lifecycle.end())
    await held.reached.wait()
    assert (await host.patch(extended["slug"], extended["delete_token"], expires_in="2d")).status == 200
    held.open()
    assert await run == 1
    assert (await host.get(f"/i/{extended['slug']}/original")).status == 200
    assert (await host.get(f"/i/{other['slug']}/original")).status == 410


async def test_an_image_that_is_restored_before_its_erasing_begins_is_spared(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    held = gated(monkeypatch, host.appliance.catalogue.images, "erasable", after=True)
    host.clock.forward(10)  # the last second in which it can be undone is the first in which it may be erased
    run = asyncio.create_task(host.appliance.image_lifecycle.erase())
    await held.reached.wait()
    assert (await host.patch(image["slug"], image["delete_token"], deleted=False)).status == 200
    held.open()
    assert await run == 0
    assert await (await host.get(f"/i/{image['slug']}/original")).read() == jpeg


async def test_a_change_that_meets_the_expiry_job_is_not_lost(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg, expires_in="1d")
    held = gated(monkeypatch, host.appliance.catalogue.images, "change")
    change = asyncio.create_task(host.patch(image["slug"], image["delete_token"], title="Late", expires_in="3d"))
    await held.reached.wait()
    host.clock.forward(DAY_S)
    assert await host.appliance.image_lifecycle.end() == 1
    held.open()
    resource = await (await change).json()
    assert resource["title"] == "Late"
    assert (await host.get(f"/i/{image['slug']}/original")).status == 200


async def test_two_deletions_at_once_are_one(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    replies = await asyncio.gather(*(host.delete(image["slug"], image["delete_token"]) for _ in range(8)))
    assert {reply.status for reply in replies} == {204}
    assert (await row(host, image["slug"])).version == 2
    assert await host.erase() == 1
    await gone_everywhere(host, image["slug"])


async def test_a_deletion_that_is_meant_for_another_version_deletes_nothing(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    seen = bearer(image["delete_token"]) | {"If-Match": '"1"'}
    held = gated(monkeypatch, host.appliance.catalogue.images, "end")
    deletion = asyncio.create_task(host.client.delete(f"/api/v1/images/{image['slug']}", headers=seen))
    await held.reached.wait()
    assert (await host.patch(image["slug"], image["delete_token"], title="Meanwhile")).status == 200
    held.open()
    await problem(await deletion, "precondition-failed")
    assert (await row(host, image["slug"])).title == "Meanwhile"
    assert (await host.get(f"/i/{image['slug']}")).status == 200


async def test_two_erasers_at_once_erase_once(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    host.clock.forward(11)
    erased = await asyncio.gather(
        host.appliance.image_lifecycle.erase(), host.appliance.image_lifecycle.erase(), return_exceptions=True
    )
    assert 1 in erased, erased
    await gone_everywhere(host, image["slug"])


async def test_a_sweep_spares_a_file_whose_row_is_still_being_committed(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = gated(monkeypatch, host.appliance.catalogue.images, "add")
    uploading = asyncio.create_task(host.upload(jpeg))
    await held.reached.wait()
    assert await host.appliance.sweeps.spool(older_than_s=-60) == 0
    held.open()
    image = await uploading
    assert (await host.get(f"/i/{image['slug']}/original")).status == 200
    assert host.files("spool/orphans") == []


async def test_an_upload_that_meets_an_unexpected_fault_leaves_no_bytes(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_arguments: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(host.appliance.workers, "examine", mistaken)
    assert (await host.post(jpeg)).status == 500
    assert host.files("spool") == []


async def test_deleting_what_becomes_an_image_at_that_moment_deletes_the_image(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus = Tus(host)
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:50_000])
    image = (await tus.state(where))["image"]
    held = gated(monkeypatch, host.appliance.resumable.lookup, "by_slug", after=True)
    deleting = asyncio.create_task(host.delete(image["slug"], image["delete_token"]))
    await held.reached.wait()
    assert (await tus.patch(where, 50_000, jpeg[50_000:])).status == 204
    held.open()
    assert (await deleting).status == 204
    await problem(await host.get(f"/api/v1/images/{image['slug']}"), "gone")
    assert await host.erase() == 1
    await gone_everywhere(host, image["slug"])


async def test_who_sent_the_last_bytes_is_not_told_that_a_living_image_is_gone(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus = Tus(host)
    where = await tus.create(len(jpeg))
    slug = await tus.slug(where)
    held = gated(
        monkeypatch, host.appliance.committer, "prewarm_and_ship"
    )  # the image is there, and its sender has no reply yet
    sending = asyncio.create_task(tus.patch(where, 0, jpeg))
    await held.reached.wait()
    assert (await tus.delete(where)).status == 204
    held.open()
    reply = await sending
    assert (reply.status, reply.headers["Upload-Offset"]) == (204, str(len(jpeg)))
    assert reply.headers["Content-Location"] == f"/i/{slug}"
    assert (await host.get(f"/i/{slug}/original")).status == 200
