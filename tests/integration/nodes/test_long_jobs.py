"""Jobs for all nodes that run for longer than a lease lasts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.nodes import JobLease
from appliance.lifecycle import jobs
from appliance.lifecycle.jobs import Job, Jobs
from tests.integration.nodes.conftest import Nodes
from tests.support.nodes import NodeHost
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


class LongRun:
    """A run that lasts until it is told to end, or is ended."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.cut_off = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cut_off.set()
            raise


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.05)


@asynccontextmanager
async def running(node: NodeHost, name: str, run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """While the block lasts, the node runs the job each second, if it is its turn."""
    scheduled = Jobs([Job(name, 1, run, for_all=True)], node.appliance.metrics, node.appliance.membership)
    scheduled.start()
    try:
        yield
    finally:
        scheduled.stop()


async def lease_of(node: NodeHost, name: str) -> JobLease | None:
    return next((lease for lease in await node.appliance.catalogue.nodes.leases() if lease.name == name), None)


async def may_run(node: NodeHost, name: str) -> bool:
    assert node.appliance.membership is not None
    return await node.appliance.membership.may_run(name, 1)


async def test_a_lease_is_renewed_while_its_job_runs(nodes: Nodes) -> None:
    one, two = nodes
    run = LongRun()
    async with running(one, "long", run), asyncio.timeout(60):
        await run.begun.wait()
        with psycopg.connect(one.appliance.config.catalogue.url or "", autocommit=True) as connection:
            connection.execute("UPDATE leases SET until_s = until_s - 550 WHERE name = 'long'")

        async def is_renewed() -> bool:
            lease = await lease_of(one, "long")
            return lease is not None and lease.node == one.name and lease.left_s > 300

        await until(is_renewed, "a lease that lasts")
        assert not await may_run(two, "long")
        run.may_end.set()
        await until(lambda: one.counted("job_runs_total", job="long", outcome="done") >= 1, "its end")


async def test_a_run_ends_once_another_node_has_its_lease(nodes: Nodes) -> None:
    one, two = nodes
    run = LongRun()
    async with running(one, "lost", run), asyncio.timeout(60):
        await run.begun.wait()
        async with one.lost():
            await until(lambda: may_run(two, "lost"), "a lease of the other node")
            await run.cut_off.wait()
            await until(lambda: one.counted("job_runs_total", job="lost", outcome="turn-lost") >= 1, "its end")
        lease = await lease_of(one, "lost")
        assert lease is not None
        assert lease.node == two.name


async def test_a_run_that_hangs_is_ended(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_RUN_S", 0.0)
    one, run = nodes[0], LongRun()
    async with running(one, "hanging", run), asyncio.timeout(60):
        await run.cut_off.wait()
        await until(lambda: one.counted("job_runs_total", job="hanging", outcome="turn-lost") >= 1, "its end")


async def test_a_run_goes_on_while_nobody_can_say_whose_it_is(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, run, asked = nodes[0], LongRun(), asyncio.Event()

    async def away(*_arguments: object) -> bool:
        asked.set()
        raise CatalogueUnavailable

    async with running(one, "unknown", run), asyncio.timeout(60):
        await run.begun.wait()
        monkeypatch.setattr(one.appliance.membership, "may_run", away)
        await asked.wait()
        run.may_end.set()
        await until(lambda: one.counted("job_runs_total", job="unknown", outcome="done") >= 1, "its end")
    assert not run.cut_off.is_set()
