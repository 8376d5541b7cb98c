"""The slow lane: networks that use it all the time leave room for one that comes anew."""

import pytest
from prometheus_client import CollectorRegistry

from appliance.limits.refusals import Refusals
from appliance.limits.slow_lane import OF_A_NETWORK, OF_ALL, SlowLane
from appliance.observability.metrics import Metrics
from tests.support.host import ManualClock

STEPS_PER_S = 4


class Flood:
    """Networks that try to upload four times a second, each in its turn."""

    def __init__(self, networks: int, aside: frozenset[str] = frozenset()) -> None:
        self.clock = ManualClock()
        self.lane = SlowLane(clock=self.clock, aside=aside, refusals=Refusals(Metrics(CollectorRegistry()), self.clock))
        self.networks = [f"10.{number // 256}.{number % 256}.1" for number in range(networks)]

    def goes_on(self, seconds: int) -> int:
        """How many uploads it brought in."""
        count = 0
        for _ in range(seconds * STEPS_PER_S):
            count += sum(self.lane.take(network) == 0 for network in self.networks)
            self.clock.forward(1 / STEPS_PER_S)
        return count


@pytest.mark.parametrize("networks", [10, 60, 250])
def test_a_network_that_comes_anew_goes_before_those_that_flood(networks: int) -> None:
    flood = Flood(networks)
    flood.goes_on(600)
    for number in range(20):
        flood.goes_on(3)
        assert flood.lane.take(f"192.0.{number}.1") == 0


def test_one_a_second_comes_in_however_many_networks_flood() -> None:
    flood = Flood(60)
    flood.goes_on(600)
    assert flood.goes_on(60) == pytest.approx(60, abs=OF_ALL.quota)


def test_who_has_had_its_turns_waits_and_is_told_for_how_long() -> None:
    flood = Flood(1)
    (network,) = flood.networks
    assert [flood.lane.take(network) for _ in range(OF_A_NETWORK.quota)] == [0] * OF_A_NETWORK.quota
    wait_s = flood.lane.take(network)
    flood.clock.forward(wait_s)
    assert flood.lane.take(network) == 0


def test_people_behind_a_proxy_that_is_not_trusted_are_no_network() -> None:
    flood = Flood(1, frozenset({"10.0.0.1"}))
    assert [flood.lane.take("10.0.0.1") for _ in range(OF_ALL.quota + 1)] == [0] * OF_ALL.quota + [1]
