"""Background jobs over the real parts: each is driven by rows, does its work in batches, and can be repeated."""

import asyncio
import json
from functools import partial

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES

from appliance.domain.errors import ClockJumped, StoreUnavailable
from appliance.domain.model import Ending, Tombstone
from appliance.domain.slugs import object_key
from appliance.lifecycle.clock_guard import JUMP_S, ClockGuard
from appliance.lifecycle.expiry import GRACE_S
from appliance.lifecycle.jobs import Job, Jobs
from appliance.lifecycle.service import TOMBSTONE_S
from appliance.server.background_jobs import background_jobs
from tests.support.gates import row
from tests.support.host import DAY_S, Host, OpenHost
from tests.support.images import pictures
from tests.support.managed_images import status
from tests.support.waiting import until

TINY = pictures.one_pixel()


# --- expiry -----------------------------------------------------------------------------------------------------------


async def test_expiry_ends_all_that_is_due_in_batches(host: Host) -> None:
    host.appliance.image_rows.expire_batch = 2
    due = [await host.upload(TINY, expires_in="1d") for _ in range(5)]
    later = await host.upload(TINY, expires_in="2d")
    host.clock.forward(DAY_S)
    assert await host.appliance.image_lifecycle.end() == 5
    assert [(await row(host, image["slug"])).ended for image in [*due, later]] == ["expired"] * 5 + [None]
    assert (await row(host, due[0]["slug"])).erase_after_s == host.clock() + GRACE_S == host.clock() + 7 * DAY_S
    assert host.counted("expired_total") == 5
    assert await host.appliance.image_lifecycle.end() == 0


async def test_an_expired_image_keeps_its_original_through_its_grace_and_loses_it_then(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="1d")
    await host.get(f"/i/{image['slug']}/small.jpg")
    await host.all_cached()
    host.clock.forward(DAY_S)
    await host.appliance.image_lifecycle.end()
    assert host.files("cache") == []
    host.clock.forward(GRACE_S - 1)
    assert await host.appliance.image_lifecycle.erase() == 0
    assert len(host.files("store/objects/originals")) == 1
    host.clock.forward(1)
    assert await host.appliance.image_lifecycle.erase() == 1
    assert (
        host.files("store/objects/originals") == host.files("store/attributes/originals") == host.files("spool") == []
    )


@pytest.mark.parametrize("jump_s", [JUMP_S + 30, 40 * DAY_S, -JUMP_S - 30])
async def test_a_clock_that_jumps_stops_expiry_until_a_person_confirms_it(host: Host, jump_s: float) -> None:
    image = await host.upload(TINY, expires_in="1")
    assert await host.appliance.image_lifecycle.end() == 0
    host.clock.jump(jump_s)
    for _ in range(2):
        with pytest.raises(ClockJumped, match="clock-is-right"):
            await host.appliance.image_lifecycle.end()
    assert (await row(host, image["slug"])).ended is None
    assert await host.appliance.image_lifecycle.end(clock_confirmed=True) == (jump_s > 0)
    host.clock.forward(2)
    assert await host.appliance.image_lifecycle.end() == 0  # the confirmed time is the one it goes on from


@pytest.mark.parametrize("jump_s", [61 * DAY_S, -DAY_S])
async def test_a_clock_that_jumped_while_the_server_was_off_stops_expiry(open_host: OpenHost, jump_s: float) -> None:
    first = await open_host()
    image = await first.upload(TINY, expires_in="1d")
    assert await first.appliance.image_lifecycle.end() == 0
    first.clock.jump(jump_s)
    catalogue, clock = first.appliance.catalogue, first.clock
    again = ClockGuard(catalogue.images, catalogue.notes, clock, clock.boot_s)
    with pytest.raises(ClockJumped):
        await again.trusted_now_s(is_confirmed=False)
    assert (await row(first, image["slug"])).ended is None


async def test_a_server_that_was_off_for_a_month_expires_without_asking(host: Host) -> None:
    await host.upload(TINY, expires_in="1d")
    host.clock.forward(30 * DAY_S)
    assert await host.appliance.image_lifecycle.end() == 1


# --- erasing ----------------------------------------------------------------------------------------------------------


async def test_erasing_leaves_nothing_but_a_tombstone_which_is_forgotten_after_a_year(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, title="Cat")
    await host.patch(image["slug"], image["delete_token"], title="Dog")
    assert await host.appliance.image_lifecycle.sync_records() == 1
    await host.get(f"/i/{image['slug']}/small.jpg")
    await host.all_cached()
    await host.delete(image["slug"], image["delete_token"])
    ended_s = host.clock()
    assert await host.erase() == 1
    left = [path for path in host.files(".") if image["slug"] in str(path)]
    assert {path.parts[-3] for path in left} == {"tombstones"}  # the store's word that it is deleted, not lost
    assert await host.appliance.catalogue.images.get(image["slug"]) == Tombstone(
        image["slug"], Ending.DELETED, int(ended_s)
    )
    assert host.counted("erased_total") == 1

    host.clock.now_s = ended_s + TOMBSTONE_S
    await host.appliance.image_lifecycle.forget()
    assert await status(host, image) == await status(host, image, "/small.jpg") == 410
    host.clock.forward(1)
    assert await host.appliance.image_lifecycle.forget() == 1
    assert await status(host, image) == await status(host, image, "/small.jpg") == 404


async def test_erasing_continues_where_a_fault_of_the_store_stopped_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.appliance.image_rows.erase_batch = 2
    uploaded = [await host.upload(TINY) for _ in range(5)]
    for image in uploaded:
        await host.delete(image["slug"], image["delete_token"])
    broken = object_key(uploaded[0]["slug"])
    delete = host.appliance.store.delete

    async def faulty(key: str) -> None:
        if key == broken:
            raise StoreUnavailable("The store is away.")
        await delete(key)

    with monkeypatch.context() as patch:
        patch.setattr(host.appliance.store, "delete", faulty)
        for _ in range(6):
            with pytest.raises(StoreUnavailable):
                await host.erase()
    assert [path.name for path in host.files("store/objects/originals")] == [uploaded[0]["slug"]]
    assert await status(host, uploaded[0]) == 410
    assert (await host.patch(uploaded[0]["slug"], uploaded[0]["delete_token"], deleted=False)).status == 410
    assert await host.appliance.image_lifecycle.erase() == 1
    assert host.files("store/objects/originals") == []


async def test_images_that_always_fail_hold_up_no_others(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.appliance.image_rows.erase_batch = 2
    uploaded = [await host.upload(TINY) for _ in range(6)]
    for image in uploaded:
        await host.delete(image["slug"], image["delete_token"])
    broken = {object_key(image["slug"]) for image in uploaded[:3]}
    delete = host.appliance.store.delete

    async def faulty(key: str) -> None:
        if key in broken:
            raise StoreUnavailable("This object can't be deleted.")
        await delete(key)

    monkeypatch.setattr(host.appliance.store, "delete", faulty)
    with pytest.raises(StoreUnavailable):
        await host.erase()
    assert {path.name for path in host.files("store/objects/originals")} == {image["slug"] for image in uploaded[:3]}


async def test_what_lies_on_this_disk_is_erased_without_waiting_for_the_store(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.appliance.image_rows.erase_batch = 1

    async def away(*_arguments: object, **_more: object) -> None:
        raise StoreUnavailable("The store is away.")

    with monkeypatch.context() as patch:
        for operation in ("put", "put_bytes", "delete", "start", "check"):
            patch.setattr(host.appliance.store, operation, away)
        for _ in range(3):
            image = await host.upload(jpeg, title="A secret")
            await host.get(f"/i/{image['slug']}/small.jpg")
            await host.all_cached()
            await host.patch(image["slug"], image["delete_token"], title="Another")
            await host.delete(image["slug"], image["delete_token"])
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await host.erase()
        assert host.files("spool/landed") == host.files("spool/copies") == host.files("cache") == []
        kept = [json.loads(path.read_bytes())["ended"] for path in host.files("spool/sidecars")]
        assert kept == ["deleted"] * 3  # should the catalogue be lost now, they stay deleted
    assert await host.appliance.image_lifecycle.erase() == 3
    assert host.files("spool") == []


async def test_idempotency_keys_are_forgotten_after_a_day(host: Host) -> None:
    headers = {"Idempotency-Key": "k" * 32}
    replies = []
    for pause_s in (0, DAY_S, 1):
        host.clock.forward(pause_s)
        await host.appliance.image_lifecycle.forget()
        reply = await host.client.post("/api/v1/images", data=TINY, headers=headers)
        replies.append((await reply.json())["slug"])
    assert replies[0] == replies[1] != replies[2]


# --- the scheduler ----------------------------------------------------------------------------------------------------


async def test_a_job_that_fails_is_logged_and_counted_and_runs_again(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    runs: dict[str, int] = {"named": 0, "unexpected": 0, "fine": 0}
    enough = asyncio.Event()

    async def run(name: str, fault: Exception | None) -> int:
        runs[name] += 1
        if min(runs.values()) == 2:
            enough.set()
        if fault is not None:
            raise fault
        return 1

    faults = {"named": StoreUnavailable("The store is away."), "unexpected": ValueError("a mistake"), "fine": None}
    jobs = Jobs([Job(name, 1, partial(run, name, fault)) for name, fault in faults.items()], host.appliance.metrics)
    jobs.start()
    async with asyncio.timeout(20):
        await enough.wait()
    await until(lambda: host.counted("job_runs_total", job="fine", outcome="done") >= 2)
    await until(lambda: host.counted("job_runs_total", job="named", outcome="store-unavailable") >= 2)
    jobs.stop()
    assert host.counted("job_runs_total", job="unexpected", outcome="internal-error") >= 1
    assert "job named: The store is away." in caplog.text
    assert "a mistake" in caplog.text


async def test_every_job_of_the_appliance_runs_on_an_empty_host(host: Host) -> None:
    one = host.appliance
    images, sweeps = one.image_lifecycle, one.sweeps
    for run in (
        one.shipper.check_and_enqueue, images.sync_records, images.end, one.prewarmer.prewarm_batch, images.erase,
        sweeps.spool, sweeps.uploads, images.forget, sweeps.orphans,
    ):  # fmt: skip
        assert not await run()


async def test_every_job_runs_within_minutes_of_a_start(host: Host) -> None:
    first = background_jobs(host.appliance).first_runs()
    assert len(first) == 21
    assert all(0 < first_s <= 300 for first_s in first.values())


async def test_a_run_longer_than_its_interval_is_no_warning(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    skipped, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        await ended.wait()

    jobs = Jobs([Job("long", 1, long)], host.appliance.metrics)
    jobs.scheduler.add_listener(lambda _event: skipped.set(), EVENT_JOB_MAX_INSTANCES)
    jobs.start()
    async with asyncio.timeout(20):
        await skipped.wait()
    ended.set()
    await until(lambda: host.counted("job_runs_total", job="long", outcome="done") >= 1)
    jobs.stop()
    assert "maximum number of running instances" not in caplog.text
