"""What a node notices at its heartbeat: that its clock drifts, and that the catalogue is back."""

import asyncio

import pytest

from appliance.catalogue.sql.nodes import NodeRows
from appliance.config.model import Config
from appliance.domain.clock import system_clock
from appliance.domain.errors import CatalogueUnavailable
from appliance.membership import membership as joining
from tests.support.memberships import node
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("at_once")


class Drifting:
    """The machine's clock, set ahead by `ahead_s`."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return system_clock() + self.ahead_s


async def test_a_node_whose_clock_drifts_leaves_the_jobs_to_others(one: Config, two: Config) -> None:
    clock = Drifting()
    async with node(one, clock) as (_, first), node(two) as (_, second):
        assert await first.may_run("expiry", 60)
        assert not await second.may_run("expiry", 60)
        clock.ahead_s = 3600.0
        assert not await first.may_run("expiry", 60)
        assert "differ by 3,600" in str(first.clock_fault)
        assert await second.may_run("expiry", 60)
        clock.ahead_s = 0.0
        await second.pass_on("expiry")
        assert await first.may_run("expiry", 60)
        assert first.clock_fault is None


async def test_a_node_notices_with_its_heartbeat_that_its_clock_drifts(
    one: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "BEAT_EVERY_S", 0)
    clock = Drifting()
    async with node(one, clock) as (_, first):
        clock.ahead_s = -3600.0
        await until(lambda: first.clock_fault is not None, "a heartbeat")


async def test_a_node_beats_at_once_when_the_catalogue_is_back(one: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = asyncio.Event()
    faults = [CatalogueUnavailable("The database is away.")]

    async def beat(_rows: NodeRows, _name: str) -> None:
        if faults:
            monkeypatch.setattr(joining, "BEAT_EVERY_S", 3600)
            raise faults.pop()
        heard.set()

    monkeypatch.setattr(NodeRows, "beat", beat)
    monkeypatch.setattr(joining, "BEAT_EVERY_S", 0)
    async with node(one):
        await until(heard.is_set, "a heartbeat")
