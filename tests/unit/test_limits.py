"""Buckets, clocks and names behind the limits, where a request would show little."""

import socket

import pytest
from prometheus_client import CollectorRegistry

from appliance.config.model import MB, Config, LimitsConfig, Server
from appliance.domain.errors import RateLimited
from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.buckets import Buckets
from appliance.limits.rates import Rate
from appliance.limits.refusals import Refusals
from appliance.limits.steady_clock import SteadyClock
from appliance.observability.metrics import Metrics
from appliance.server.sockets import are_open_to_others
from tests.support.host import ManualClock
from tests.support.limits import limits_on

POLICY = Policy("address-uploads", QuotaScope.ADDRESS, Unit.UPLOADS, 60, 60)


def rate(clock: ManualClock, *policies: Policy) -> Rate:
    refusals = Refusals(Metrics(CollectorRegistry()), clock)
    return Rate(policies, clock=SteadyClock(clock), aside=frozenset(), refusals=refusals)


@pytest.mark.parametrize(
    ("client", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8::/64", "2001:db8::/48"),
        ("-", ""),
    ],
)
def test_the_network_around_a_client(client: str, prefix: str) -> None:
    assert prefix_of(client) == prefix


def test_buckets_are_bounded_and_the_one_unused_for_longest_goes_first() -> None:
    buckets = Buckets(POLICY, max_buckets=100)
    for number in range(1000):
        buckets.charge("kept", 1, 0.0)
        buckets.charge(str(number), 60, 0.0)
    assert len(buckets) == 100
    assert buckets.left("kept", 0.0) == 0
    assert buckets.left("0", 0.0) == 60


def test_more_than_a_whole_quota_waits_for_a_full_bucket() -> None:
    buckets = Buckets(POLICY)
    assert buckets.wait_s("one", 1000, 0.0) == 0
    buckets.charge("one", 1000, 0.0)
    assert buckets.wait_s("one", 1000, 0.0) == pytest.approx(1000)


def test_a_clock_that_is_set_back_makes_no_limit_longer() -> None:
    clock = ManualClock()
    limited = rate(clock, POLICY)
    limited.charge("192.0.2.1", 60)
    clock.forward(-86_400)
    with pytest.raises(RateLimited) as refused:
        limited.take("192.0.2.1")
    clock.forward(float(refused.value.retry_after_s or 0))
    limited.take("192.0.2.1")


def test_a_key_has_limits_of_its_own_and_none_of_its_address() -> None:
    limited = rate(ManualClock(), POLICY, Policy("key-uploads", QuotaScope.KEY, Unit.UPLOADS, 120, 60))
    limited.take("key:a1", 120)
    with pytest.raises(RateLimited, match="120 uploads a minute with one access key"):
        limited.take("key:a1")
    limited.take("192.0.2.1", 60)


@pytest.mark.parametrize(
    ("listen", "proxies", "mode", "limited"),
    [
        ("127.0.0.1:8080", (), "auto", False),
        ("[::1]:8080", (), "auto", False),
        ("127.0.0.1:8080", ("127.0.0.1",), "auto", True),
        ("0.0.0.0:8080", (), "auto", True),
        ("192.168.1.5:8080", (), "auto", True),
        ("127.0.0.1:8080", (), "on", True),
        ("0.0.0.0:8080", (), "off", False),
    ],
)
def test_clients_are_limited_unless_only_this_machine_can_ask(
    listen: str, proxies: tuple[str, ...], mode: str, limited: bool
) -> None:
    config = Config(server=Server(listen=listen, trusted_proxies=proxies), limits=LimitsConfig(mode=mode))
    assert config.limits_on is limited


def test_an_evening_of_a_family_meets_no_limit() -> None:
    """300 photos of 10 MB at once, a page of 1,000 images that nobody has seen, and a session of deep zoom."""
    limits = limits_on(Config(limits=LimitsConfig(mode="on")))
    for _ in range(300):
        limits.uploads.take("192.0.2.1")
        limits.minute_bytes.take("192.0.2.1", 10 * MB)
        limits.day_budgets.require("192.0.2.1", 10 * MB)
        limits.day_budgets.charge_client("192.0.2.1", 10 * MB)
        limits.day_budgets.charge_together("192.0.2.1", 10 * MB)
    for _ in range(3 * 1000 + 2000):
        limits.requests.take("192.0.2.1")
    for _ in range(1000):
        limits.processor.charge(["192.0.2.1"], 0.5)
    assert not limits.processor.is_spent("192.0.2.1")


@pytest.mark.parametrize(("host", "is_open"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_sockets_of_a_service_manager_may_be_open_to_others(host: str, is_open: bool) -> None:
    with socket.socket() as one:
        one.bind((host, 0))
        assert are_open_to_others([one]) is is_open
