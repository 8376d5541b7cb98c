"""Limits of several nodes that tell each other what clients used, each counted on one clock."""

import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from appliance.catalogue import DayBudgetCatalogue
from appliance.config.model import MB, Config, NodeConfig
from appliance.domain.access_keys import AccessKey, KeyLimits, Scope
from appliance.domain.errors import BudgetSpent, CatalogueUnavailable, RateLimited
from appliance.limits import Limits
from appliance.limits.unreported import Unreported
from appliance.nodes.usage import usage_in
from appliance.observability.metrics import Metrics
from tests.support.host import ManualClock
from tests.support.limits import limits_on, only

CLIENT, NEIGHBOUR = "192.0.2.1", "192.0.2.2"
KEY = AccessKey("0123456789", "scanner", "ab" * 32, (Scope.UPLOAD,), 1, limits=KeyLimits(max_uploads_a_minute=2))


class Nodes:
    """Nodes with the same limits. A report of one reaches all others at once, as bytes."""

    def __init__(self, count: int, **settings: int | None) -> None:
        self.clock = ManualClock()
        config = Config(limits=only(**settings), node=NodeConfig(listen="127.0.0.1:8090"))
        rows: Any = DayBudgetCatalogue
        self.limits = [
            Limits.of(config, rows=rows, metrics=Metrics(CollectorRegistry()), clock=self.clock) for _ in range(count)
        ]
        self.reports = 0
        self.machines = 1
        self.is_catalogue_away = False

    async def report(self) -> None:
        """Each tells the others what it has to."""
        for sender in self.limits:
            others: Any = _Others(self, sender)
            await sender.usage_reports.send(others)


class _Others:
    def __init__(self, nodes: Nodes, sender: Limits) -> None:
        self._nodes = nodes
        self._sender = sender

    async def others(self) -> list[str]:
        if self._nodes.is_catalogue_away:
            raise CatalogueUnavailable
        return ["another"]

    async def machines(self) -> int:
        return self._nodes.machines

    async def tell(self, _nodes: list[str], usage: Any) -> None:
        self._nodes.reports += 1
        for node in self._nodes.limits:
            if node is not self._sender:
                node.usage_reports.count(usage_in(json.dumps(usage).encode()))


async def test_what_a_client_used_at_one_node_counts_at_the_others() -> None:
    nodes = Nodes(2, address_uploads=10)
    nodes.limits[0].uploads.take(CLIENT, 10)
    await nodes.report()
    with pytest.raises(RateLimited):
        nodes.limits[1].uploads.take(CLIENT)
    nodes.limits[1].uploads.take(NEIGHBOUR)


async def test_networks_and_everybody_together_count_at_all_nodes() -> None:
    nodes = Nodes(2, prefix_uploads=10, anonymous_uploads=20)
    nodes.limits[0].uploads.take(CLIENT, 10)
    await nodes.report()
    with pytest.raises(RateLimited, match="from one network"):
        nodes.limits[1].uploads.take(NEIGHBOUR)
    nodes.limits[1].uploads.take("198.51.100.1", 10)
    await nodes.report()
    with pytest.raises(RateLimited, match="from everybody"):
        nodes.limits[0].uploads.take("203.0.113.1")


async def test_bytes_requests_processor_seconds_and_the_uploads_of_a_key_count_at_all_nodes() -> None:
    nodes = Nodes(2, address_minute_bytes=MB, address_requests=60, address_processor_s=1)
    one, two = nodes.limits
    one.minute_bytes.charge(CLIENT, MB)
    for _ in range(60):
        one.requests.take(CLIENT)
    one.processor.charge([CLIENT], 11.5)
    for _ in range(2):
        one.key_uploads.take(KEY)
    await nodes.report()
    for rate in (two.minute_bytes, two.requests):
        with pytest.raises(RateLimited):
            rate.take(CLIENT)
    assert two.processor.is_spent(CLIENT)
    with pytest.raises(RateLimited):
        two.key_uploads.take(KEY)


async def test_the_day_of_a_client_is_the_same_at_all_nodes() -> None:
    nodes = Nodes(2, address_day_bytes=10 * MB)
    nodes.limits[0].day_budgets.charge_client(CLIENT, 10 * MB)
    await nodes.report()
    with pytest.raises(BudgetSpent):
        nodes.limits[1].day_budgets.require(CLIENT, 1)
    nodes.limits[0].day_budgets.charge_client(CLIENT, -5 * MB)
    await nodes.report()
    nodes.limits[1].day_budgets.require(CLIENT, 5 * MB)


async def test_what_nodes_let_in_before_they_heard_of_each_other_is_waited_for_afterwards() -> None:
    """Three times as much at first, and no more than the rate over the time that follows."""
    nodes = Nodes(3, address_uploads=60)
    for node in nodes.limits:
        node.uploads.take(CLIENT, 60)
    await nodes.report()
    let_in = 0
    for _ in range(180):
        nodes.clock.forward(1.0)
        for node in nodes.limits:
            try:
                node.uploads.take(CLIENT)
            except RateLimited:
                continue
            let_in += 1
            await nodes.report()
    assert let_in <= 60 + len(nodes.limits)


async def test_what_is_little_is_reported_once_it_is_more() -> None:
    nodes = Nodes(2, address_requests=6400)
    for _ in range(99):
        nodes.limits[0].requests.take(CLIENT)
    await nodes.report()
    assert nodes.reports == 0
    nodes.limits[0].requests.take(CLIENT)
    await nodes.report()
    [(_, left)] = nodes.limits[1].requests.left_of(CLIENT)
    assert left == 6300


async def test_what_was_heard_is_not_reported_again() -> None:
    nodes = Nodes(2, address_uploads=10)
    nodes.limits[0].uploads.take(CLIENT, 5)
    await nodes.report()
    await nodes.report()
    assert nodes.reports == 1
    assert [left for node in nodes.limits for _, left in node.uploads.left_of(CLIENT)] == [5, 5]


async def test_what_nobody_could_be_told_is_reported_once_it_is_known_which_nodes_there_are() -> None:
    nodes = Nodes(2, address_uploads=10)
    nodes.limits[0].uploads.take(CLIENT, 10)
    nodes.is_catalogue_away = True
    await nodes.report()
    nodes.is_catalogue_away = False
    await nodes.report()
    with pytest.raises(RateLimited):
        nodes.limits[1].uploads.take(CLIENT)


async def test_a_node_with_other_limits_counts_those_it_has() -> None:
    nodes, others = Nodes(1, address_uploads=10, prefix_uploads=10), Nodes(1, address_uploads=10)
    nodes.limits[0].uploads.take(CLIENT, 10)
    nodes.limits += others.limits
    await nodes.report()
    with pytest.raises(RateLimited):
        others.limits[0].uploads.take(CLIENT)


@pytest.mark.parametrize(("setting", "factor"), [(None, 3), (500, 1)])
async def test_everybody_together_may_use_what_all_machines_bear_unless_it_is_set(
    setting: int | None, factor: int
) -> None:
    nodes = Nodes(1, anonymous_uploads=setting)
    limits = nodes.limits[0]
    [(alone, _)] = limits.uploads.left_of(CLIENT)
    limits.uploads.take(CLIENT, alone.quota // 2)
    for nodes.machines in (3, 1, 3):
        others: Any = _Others(nodes, limits)
        await limits.follow_machines(others)
    [(together, left)] = limits.uploads.left_of(CLIENT)
    assert (together.quota, left) == (factor * alone.quota, factor * alone.quota // 2)
    limits.uploads.take(CLIENT, left)
    with pytest.raises(RateLimited, match="from everybody"):
        limits.uploads.take(CLIENT)


async def test_a_server_that_is_alone_notes_nothing_for_others() -> None:
    nodes, alone = Nodes(1), limits_on(Config(limits=only(address_uploads=10)))
    alone.uploads.take(CLIENT, 10)
    nodes.limits = [alone]
    await nodes.report()
    assert nodes.reports == 0


def test_what_waits_to_be_reported_is_bounded_and_so_is_a_report() -> None:
    unreported = Unreported(10.0, max_clients=100)
    for number in range(1000):
        unreported.add(f"{number}", 1.0)
    assert len(unreported) == 100
    for number in range(50):
        unreported.add(f"much {number}", 10.0)
    assert len(unreported.take(20)) == 20
    assert len(unreported.take(1000)) == 30
    assert not unreported.take(1000)


@pytest.mark.parametrize(
    "report",
    [
        *(b"", b"[]", b"1", b"\xff", b'{"address-uploads": 1}', b'{"address-uploads": {"192.0.2.1": "1"}}'),
        b'{"address-uploads": {"192.0.2.1": 1e308}}',
        b'{"address-uploads": {"192.0.2.1": 1%s}}' % (b"0" * 400),
        *(b'{"address-uploads": {"192.0.2.1": NaN}}', b'{"address-uploads": {"192.0.2.1": null}}', b"[" * 50_000),
    ],
)
def test_what_is_no_report_is_refused(report: bytes) -> None:
    with pytest.raises(ValueError, match="no report"):
        usage_in(report)
