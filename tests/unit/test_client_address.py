"""Who is believed about where a request comes from."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from appliance.domain.clients import Client
from appliance.http.trusted_proxies import TrustedProxies


def request_from(peer: str, **headers: str) -> web.Request:
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return make_mocked_request("GET", "/", headers=named).clone(remote=peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "192.0.2.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("10.0.0.2", "not an address", "unknown"),
        ("10.0.0.2", "198.51.100.7, unknown, 10.0.0.3", "unknown"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.2", "198.51.100.7:5678", "198.51.100.7"),
        ("10.0.0.2", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.3:80", "198.51.100.7"),
        ("::ffff:10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.2", "::ffff:198.51.100.7", "198.51.100.7"),
        ("::ffff:203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", "[::ffff:198.51.100.7]:4711", "198.51.100.7"),
        ("10.0.0.2", "[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.2", '"[2001:db8::7]:443"', "2001:db8::7"),
        ("10.0.0.2", "203.0.113.7:4711, [::1]:443, ::ffff:10.0.0.3", "203.0.113.7"),
        ("192.0.2.5", "198.51.100.7", "198.51.100.7"),
        ("::ffff:192.0.2.6", "198.51.100.7", "192.0.2.6"),
    ],
)
def test_only_a_trusted_proxy_is_believed_about_the_client(peer: str, forwarded: str, expected: str) -> None:
    trusted_proxies = TrustedProxies(("10.0.0.0/8", "::1", "::ffff:192.0.2.5"))
    assert trusted_proxies.address(request_from(peer, X_Forwarded_For=forwarded)) == expected


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.77", "192.0.2.77"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.77", "192.0.2.77"),
        ("-", "-"),
    ],
)
def test_a_client_is_an_address_or_a_network_of_one_line(peer: str, client: str) -> None:
    assert TrustedProxies(()).client(request_from(peer)) == Client(client)


def test_an_id_is_taken_from_a_trusted_proxy_only() -> None:
    trusted_proxies = TrustedProxies(("10.0.0.2",))
    assert trusted_proxies.request_id(request_from("10.0.0.2", X_Request_ID="edge-42")) == "edge-42"
    assert trusted_proxies.request_id(request_from("203.0.113.9", X_Request_ID="edge-42")) != "edge-42"


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "é"])
def test_an_id_that_is_not_plain_is_replaced(given: str) -> None:
    trusted_proxies = TrustedProxies(("10.0.0.2",))
    assert trusted_proxies.request_id(request_from("10.0.0.2", X_Request_ID=given)) != given


def test_no_two_requests_share_an_id() -> None:
    trusted_proxies = TrustedProxies(())
    ids = {trusted_proxies.request_id(request_from("203.0.113.9")) for _ in range(1000)}
    assert len(ids) == 1000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("64:ff9b::203.0.113.9", "203.0.113.9", True),
        ("64:ff9b::203.0.113.9", "64:ff9b::203.0.113.10", False),
        ("::1", "127.0.0.1", False),
        ("-", "-", True),
    ],
)
def test_everybody_in_an_ipv6_network_has_one_share(one: str, other: str, same: bool) -> None:
    trusted_proxies = TrustedProxies(())
    assert (trusted_proxies.client(request_from(one)) == trusted_proxies.client(request_from(other))) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7:4711", "203.0.113.7:4712", True),
        ("203.0.113.7:4711", "203.0.113.8:4711", False),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::8", True),
        ("[2001:db8:1:2::7]:443", "[2001:db8:1:3::7]:443", False),
        ("::ffff:203.0.113.7", "203.0.113.7:80", True),
        ("[::ffff:203.0.113.7]:80", "[::ffff:203.0.113.8]:80", False),
    ],
)
def test_clients_behind_a_proxy_are_told_apart_however_it_writes_them(one: str, other: str, same: bool) -> None:
    trusted_proxies = TrustedProxies(("10.0.0.2",))
    first, second = (
        trusted_proxies.client(request_from(peer, X_Forwarded_For=forwarded))
        for peer, forwarded in (("10.0.0.2", one), ("::ffff:10.0.0.2", other))
    )
    assert (first == second) is same


def test_a_network_of_proxies_may_be_written_in_ipv6() -> None:
    trusted_proxies = TrustedProxies(("::ffff:10.0.0.0/104", "2001:db8::/32"))
    for peer in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"):
        assert trusted_proxies.address(request_from(peer, X_Forwarded_For="198.51.100.7")) == "198.51.100.7"
    for peer in ("11.1.2.3", "2001:db9::1"):
        assert trusted_proxies.address(request_from(peer, X_Forwarded_For="198.51.100.7")) == peer


def test_two_lines_of_addresses_are_one_list() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "198.51.100.7, 10.0.0.3")])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="10.0.0.2")
    assert TrustedProxies(("10.0.0.0/8",)).address(request) == "198.51.100.7"


def test_a_list_of_proxies_without_end_is_not_followed() -> None:
    forwarded = ",".join(["198.51.100.7", *["10.0.0.3"] * 1000])
    assert TrustedProxies(("10.0.0.0/8",)).address(request_from("10.0.0.2", X_Forwarded_For=forwarded)) == "10.0.0.2"
