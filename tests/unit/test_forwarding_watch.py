"""A proxy in front that isn't trusted is noticed, and nobody gets rid of limits by forging its headers."""

from appliance.http.forwarding_watch import DIRECT_FOR_S, MAX_COUNTED, MIN_REQUESTS, ForwardingWatch
from appliance.http.trusted_proxies import TrustedProxies
from appliance.limits import LimitSwitch
from tests.support.host import ManualClock
from tests.unit.test_client_address import request_from

HERE, NEAR, OTHER_NEAR, FAR = "127.0.0.1", "192.168.1.5", "192.168.1.6", "93.184.216.34"


class Watched:
    """A watch, and requests that it sees."""

    def __init__(self, *trusted: str) -> None:
        self.clock = ManualClock()
        self.aside: set[str] = set()
        self.switch = LimitSwitch(is_on=False, waits_for_proxy=True)
        self.watch = ForwardingWatch(TrustedProxies(trusted), self.aside, self.clock, self.switch)

    def ask(self, peer: str, times: int = 1, **headers: str) -> None:
        request = request_from(peer, **headers)
        client = self.watch.proxies.client(request).id
        for _ in range(times):
            self.watch.note(request, client)

    def forward(self, peer: str, times: int = MIN_REQUESTS) -> None:
        self.ask(peer, times, X_Forwarded_For="198.51.100.7")


def test_limits_stand_aside_for_an_untrusted_proxy_nearby() -> None:
    for peer in (HERE, NEAR):
        watched = Watched()
        watched.forward(peer)
        assert watched.aside == {peer}
        assert watched.watch.untrusted_proxy == peer


def test_a_stranger_who_forges_headers_is_limited_as_before() -> None:
    watched = Watched()
    watched.forward(FAR, 1000)
    assert watched.aside == set()
    assert watched.watch.untrusted_proxy is None
    assert watched.watch.forwarding_strangers == 1


def test_a_few_forged_headers_among_others_change_nothing() -> None:
    watched = Watched()
    watched.ask(HERE, 5)
    watched.forward(HERE, 15)
    assert watched.aside == set()


def test_in_a_network_whose_people_come_directly_nobody_forges_a_proxy() -> None:
    watched = Watched()
    watched.ask(OTHER_NEAR)
    watched.forward(NEAR)
    assert watched.aside == set()
    assert watched.watch.untrusted_proxy == NEAR
    watched.clock.forward(DIRECT_FOR_S)
    watched.forward(NEAR)
    assert watched.aside == {NEAR}


def test_limits_are_back_when_nothing_is_forwarded_any_more() -> None:
    watched = Watched()
    watched.forward(HERE)
    watched.ask(HERE, 2 * MAX_COUNTED)
    assert watched.aside == set()
    assert watched.watch.untrusted_proxy is None


def test_a_trusted_proxy_that_forwards_nothing_is_not_limited_as_one_person() -> None:
    for peer, client in ((HERE, HERE), (f"::ffff:{HERE}", HERE), ("::1", "::/64")):
        watched = Watched(HERE, "::1")
        watched.ask(peer)
        assert watched.aside == {client}


def test_a_trusted_proxy_is_no_finding() -> None:
    watched = Watched(HERE)
    watched.forward(HERE, 100)
    assert watched.aside == set()
    assert watched.watch.untrusted_proxy is None


def test_limits_that_wait_for_a_proxy_hold_from_its_first_request_on() -> None:
    watched = Watched()
    watched.ask(HERE, 100)
    watched.ask(FAR, X_Forwarded_For="198.51.100.7")
    assert watched.switch.state == "off"
    watched.forward(HERE, 1)
    assert watched.switch.state == "together"


def test_limits_that_are_off_stay_off() -> None:
    watched = Watched()
    watched.switch.waits_for_proxy = False
    watched.forward(HERE)
    assert watched.switch.state == "off"
