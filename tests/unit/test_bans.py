"""Bans by themselves: whom each concerns, and which of many refuses a client."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.access.ban_list import BanList
from appliance.domain.bans import Ban, ban_of, network_in, record_of, record_without_content, subject_of

NOW_S = 1_790_000_000


def ban(subject: str, **fields: Any) -> Ban:
    return replace(Ban(subject, "Spam.", NOW_S), **fields)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("64:ff9b::192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("192.0.2", None),
        ("scanner", None),
    ],
)
def test_a_network_is_named_as_clients_are_compared_with_it(text: str, network: str | None) -> None:
    found = network_in(text)
    assert (None if found is None else str(found)) == network


@pytest.mark.parametrize("subject", ["192.0.2.0/24", "2001:db8::/32", "::/0", "key:0123456789"])
def test_the_id_of_a_ban_names_whom_it_concerns(subject: str) -> None:
    full = ban(subject, until_s=NOW_S + 9, views=True, version=3)
    assert subject_of(full.id) == subject
    assert ban_of(record_of(full)) == full
    left = ban_of(record_without_content(full.id))
    assert (left.subject, left.until_s, left.views) == (subject, None, False)


@pytest.mark.parametrize("ban_id", ["", "key-", "key-a.b", "192.0.2.1_24", "nobody", "..", "2001-DB8--_32"])
def test_what_names_nobody_is_no_id(ban_id: str) -> None:
    with pytest.raises(ValueError, match=r"names nobody|does not appear|has host bits"):
        subject_of(ban_id)


def test_a_ban_holds_for_all_of_its_network_and_for_nobody_else() -> None:
    bans = BanList([ban("192.0.2.0/24"), ban("198.51.100.7/32"), ban("2001:db8::/32"), ban("key:0123456789")])
    banned = ["192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8:9:9::/64"]
    free = ["192.0.3.0", "198.51.100.8", "2001:db9::/64", "::/64", "-", "", "user:abc", "0.0.0.0"]
    assert all(bans.of_address(client, NOW_S, viewing=False) for client in banned)
    assert not any(bans.of_address(client, NOW_S, viewing=False) for client in free)
    assert not any(bans.of_address(client, NOW_S, viewing=True) for client in banned)
    assert bans.of_key("0123456789", NOW_S, viewing=False) is not None
    assert bans.of_key("9876543210", NOW_S, viewing=False) is None


def test_the_strictest_of_several_bans_holds_and_each_until_its_end() -> None:
    narrow, wide = ban("192.0.2.1/32", until_s=NOW_S + 10), ban("192.0.2.0/24", views=True, until_s=NOW_S + 20)
    bans = BanList([narrow, wide])
    assert bans.of_address("192.0.2.1", NOW_S, viewing=True) == wide
    assert bans.of_address("192.0.2.1", NOW_S + 15, viewing=False) == wide
    assert bans.of_address("192.0.2.1", NOW_S + 20, viewing=False) is None


def test_a_later_version_replaces_an_earlier_one_in_any_order() -> None:
    ended = ban("192.0.2.1/32", until_s=NOW_S, version=2)
    for versions in ([ban("192.0.2.1/32"), ended], [ended, ban("192.0.2.1/32")]):
        bans = BanList(versions)
        assert bans.of_address("192.0.2.1", NOW_S, viewing=False) is None
        bans.drop_ended(NOW_S)
        assert len(bans) == 0
