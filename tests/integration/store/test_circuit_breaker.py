"""While the store is away: one asks how it is, the others wait; faults of one object, and originals that are lost."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config.model import Config
from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.model import Location
from appliance.objectstore import ObjectStore
from appliance.objectstore.observed import ObservedStore
from tests.support.gates import row
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.waiting import until

TINY = pictures.one_pixel()
AWAY = ("start", "check", "put", "put_bytes", "delete", "stat", "fetch", "open")


class Outage:
    """Breaks a store's operations until it is over, and counts what was asked of it meanwhile."""

    def __init__(self, patch: pytest.MonkeyPatch, store: ObjectStore, *operations: str) -> None:
        self.asked: Counter[str] = Counter()
        self._patch = patch
        for operation in operations:
            patch.setattr(store, operation, self._failing(operation))

    def _failing(self, operation: str) -> Any:
        async def fail(*_arguments: object, **_more: object) -> None:
            self.asked[operation] += 1
            raise StoreUnavailable("The store is away.")

        return fail

    def over(self) -> None:
        self._patch.undo()


@pytest.fixture
async def patient(open_host: OpenHost, config: Any) -> Host:
    """A host whose replies do not wait for the store, and which asks often how it is."""
    host = await open_host(uploads=replace(config.uploads, ack_budget_s=0))
    breaker = host.appliance.shipper.store.breaker
    breaker.first_pause_s, breaker.max_pause_s = 0.001, 0.01
    host.appliance.shipper.queue.last_retry_s = 0.01
    return host


@pytest.fixture
def patch() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


async def test_while_the_store_is_away_it_is_asked_and_nothing_is_sent(
    patient: Host, patch: pytest.MonkeyPatch
) -> None:
    outage = Outage(patch, patient.appliance.store, *AWAY)
    await patient.upload(TINY)
    await until(lambda: outage.asked["put"] == 1)
    for _ in range(5):
        await patient.upload(TINY)
    asked = outage.asked["start"]
    await until(lambda: outage.asked["start"] > asked + 5)
    assert outage.asked["put"] == 1
    assert patient.appliance.shipper.backlog == 6
    outage.over()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert len(patient.files("store/objects")) == 6
    assert patient.appliance.shipper.store_up


def retry_after(host: Host, seconds: float) -> None:
    """Have every failed original wait about so long for its next attempt."""
    queue = host.appliance.shipper.queue
    queue.first_retry_s = queue.last_retry_s = seconds


async def test_what_waits_ships_as_soon_as_the_store_is_back_and_not_at_its_next_turn(patient: Host) -> None:
    """After a long outage each original is tried rarely; the first success sends all the others."""
    retry_after(patient, 3600.0)
    with pytest.MonkeyPatch.context() as away:
        Outage(away, patient.appliance.store, *AWAY)
        for _ in range(30):
            await patient.upload(TINY)
        assert patient.appliance.shipper.backlog == 30
    await until(lambda: not patient.appliance.shipper.backlog)
    assert len(patient.files("store/objects")) == 30


async def test_an_upload_is_answered_at_once_while_the_store_is_known_to_be_away(
    open_host: OpenHost, patch: pytest.MonkeyPatch, config: Config
) -> None:
    """However long replies may wait for the store otherwise."""
    host = await open_host(uploads=replace(config.uploads, ack_budget_s=3600))
    Outage(patch, host.appliance.store, *AWAY)
    await host.appliance.shipper.check_and_enqueue()
    assert not host.appliance.shipper.store_up
    async with asyncio.timeout(60):  # far below what it would wait
        await host.upload(TINY)
    assert host.appliance.shipper.backlog == 1


async def test_a_store_that_answers_but_takes_nothing_is_tried_with_one_at_a_time(
    patient: Host, patch: pytest.MonkeyPatch
) -> None:
    outage = Outage(patch, patient.appliance.store, "put")
    at_once, most = 0, 0

    async def full(*_arguments: object, **_more: object) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        outage.asked["put"] += 1
        raise StoreUnavailable("Its disks are full.")

    await patient.upload(TINY)
    await until(lambda: not patient.appliance.shipper.store_up)
    patch.setattr(patient.appliance.store, "put", full)
    for _ in range(5):
        await patient.upload(TINY)
    tried = outage.asked["put"]
    await until(lambda: outage.asked["put"] > tried + 5)
    assert most == 1
    assert not patient.appliance.shipper.store_up
    outage.over()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert patient.appliance.shipper.store_up


async def test_a_store_that_goes_away_is_noticed_though_nothing_ships(host: Host, patch: pytest.MonkeyPatch) -> None:
    outage = Outage(patch, host.appliance.store, "check")
    await host.appliance.shipper.check_and_enqueue()
    report = await (await host.get("/readyz")).json()
    assert (report["status"], host.appliance.shipper.store_fault) == ("degraded", "The store is away.")
    assert host.counted("store_up") == 0
    assert host.counted("store_faults_total", operation="check") == 1
    outage.over()
    await host.appliance.shipper.check_and_enqueue()
    assert (await (await host.get("/readyz")).json())["status"] == "ready"


async def test_the_faults_of_every_operation_are_counted_by_its_name(
    host: Host, patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Outage(patch, host.appliance.store, *AWAY)
    observed = ObservedStore(host.appliance.store, host.appliance.metrics)
    for operation, asking in {
        "start": observed.start(),
        "check": observed.check(),
        "put": observed.put("a", tmp_path, media_type="image/png", metadata={}),
        "put_bytes": observed.put_bytes("a", b"", media_type="image/png"),
        "delete": observed.delete("a"),
        "stat": observed.stat("a"),
        "fetch": observed.fetch("a", tmp_path / "a"),
        "open": observed.open("a"),
    }.items():
        with pytest.raises(StoreUnavailable):
            await asking
        assert host.counted("store_faults_total", operation=operation) == 1, operation


async def test_a_missing_object_is_logged_once_and_is_not_a_fault_of_the_store(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    observed = ObservedStore(host.appliance.store, host.appliance.metrics)
    for _ in range(3):
        with pytest.raises(ObjectMissing):
            await observed.open("originals/none")
    assert caplog.text.count("is missing originals/none") == 1
    assert observed.fault is None


async def waiting_image(host: Host) -> tuple[str, Path]:
    """The slug of an image that has yet to be shipped by a store that is well again, and its landed file."""
    with pytest.MonkeyPatch.context() as away:
        Outage(away, host.appliance.store, "put")
        retry_after(host, 10.0)
        slug = str((await host.upload(TINY))["slug"])
        await until(lambda: host.appliance.shipper.is_paused(slug))
    return slug, host.appliance.spool.landed_path(slug)


async def test_a_lost_original_is_logged_once_and_keeps_nothing_waiting(
    patient: Host, caplog: pytest.LogCaptureFixture
) -> None:
    _, landed = await waiting_image(patient)
    landed.unlink()
    patient.appliance.shipper.retry_now()
    await until(lambda: not patient.appliance.shipper.backlog)
    for _ in range(3):
        await patient.appliance.shipper.check_and_enqueue()
    assert patient.appliance.shipper.backlog == patient.appliance.shipper.lag_s == 0
    assert caplog.text.count("an original is lost") == 1
    assert "Traceback" not in caplog.text
    assert patient.counted("lost_originals_total") == 1


async def test_a_file_that_was_set_aside_although_it_has_a_row_is_shipped(patient: Host) -> None:
    slug, _ = await waiting_image(patient)
    await patient.appliance.spool.quarantine(slug)
    patient.appliance.shipper.retry_now()
    await until(lambda: not patient.appliance.shipper.backlog)
    assert (await row(patient, slug)).location is Location.STORE
    assert [path.read_bytes() for path in patient.files("store/objects")] == [TINY]
