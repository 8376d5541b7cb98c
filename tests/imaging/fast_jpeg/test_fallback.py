"""No picture depends on the C extension: libvips takes over where it crashes, and a setting turns it off."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.renditions import Format
from appliance.workers.fast_jpeg import MAX_CRASHES
from appliance.workers.process import WorkerLost
from appliance.workers.protocol import Order, Render
from appliance.workers.supervised_worker import SupervisedWorker
from tests.support.images import pictures
from tests.support.worker_pools import ONE, running
from tests.support.workers import rendered, target


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every order to render crashes its worker unless it is for libvips alone; which ones were."""
    run, asked = SupervisedWorker.run, []

    async def crashing(self: SupervisedWorker, order: Order, *rest: Any) -> Any:
        if isinstance(order, Render):
            asked.append(order.fast_jpeg)
            if order.fast_jpeg:
                raise WorkerLost("SIGSEGV")
        return await run(self, order, *rest)

    monkeypatch.setattr(SupervisedWorker, "run", crashing)
    return asked


async def test_libvips_makes_what_crashes_the_extension(asked: list[bool], caplog: pytest.LogCaptureFixture) -> None:
    async with running() as workers:
        for _ in range(MAX_CRASHES + 1):
            (made,) = await rendered(workers, pictures.camera_photo(), target("small", Format.JPG))
            assert made.data.startswith(b"\xff\xd8")
    assert asked == [True, False] * MAX_CRASHES + [False]
    levels = [record.levelno for record in caplog.records if "fast way for JPEGs" in record.message]
    assert levels == [logging.WARNING] * MAX_CRASHES + [logging.ERROR]


async def test_it_is_not_used_where_it_is_turned_off(asked: list[bool]) -> None:
    async with running(replace(ONE, fast_jpeg=False)) as workers:
        assert await rendered(workers, pictures.camera_photo(), target("small", Format.JPG))
    assert asked == [False]
