"""The bans in memory: whether somebody is banned is looked up in a microsecond, however many bans there are."""

from collections.abc import Iterable
from ipaddress import ip_network
from itertools import chain
from socket import AF_INET, AF_INET6, inet_pton
from typing import TypeVar

from appliance.domain.bans import KEY, Ban

T = TypeVar("T", int, str)
IPV4 = 4
Networks = dict[int, dict[int, Ban]]
"""By how many bits of an address come after the network's, then by the bits before."""


class BanList:
    """At most one ban of each subject. A network's ban holds for every network in it."""

    def __init__(self, bans: Iterable[Ban] = ()) -> None:
        self._ipv4: Networks = {}
        self._ipv6: Networks = {}
        self._keys: dict[str, Ban] = {}
        for ban in bans:
            self.put(ban)

    def __len__(self) -> int:
        return len(self._keys) + sum(map(len, chain(self._ipv4.values(), self._ipv6.values())))

    def put(self, ban: Ban) -> None:
        """Add the ban, in place of an earlier version of it."""
        if ban.subject.startswith(KEY):
            _put_newest(self._keys, ban.subject, ban)
            return
        network = ip_network(ban.subject)
        networks = self._ipv4 if network.version == IPV4 else self._ipv6
        shift = network.max_prefixlen - network.prefixlen
        _put_newest(networks.setdefault(shift, {}), int(network.network_address) >> shift, ban)

    def drop_ended(self, now_s: float) -> None:
        """Forget the bans that have ended."""
        _drop_ended(self._keys, now_s)
        for networks in (self._ipv4, self._ipv6):
            for shift, bans in tuple(networks.items()):
                _drop_ended(bans, now_s)
                if not bans:
                    del networks[shift]

    def of_key(self, key_id: str, now_s: float, *, viewing: bool) -> Ban | None:
        """The ban that refuses the holder of this key, when it views something or does anything else."""
        ban = self._keys.get(KEY + key_id)
        return ban if ban is not None and ban.refuses(now_s, viewing=viewing) else None

    def of_address(self, client: str, now_s: float, *, viewing: bool) -> Ban | None:
        """The same of the client with this id, if it is an address."""
        family, networks = (AF_INET6, self._ipv6) if ":" in client else (AF_INET, self._ipv4)
        if not networks:
            return None
        try:
            address = int.from_bytes(inet_pton(family, client.partition("/")[0]))
        except OSError:
            return None
        for shift, bans in networks.items():
            ban = bans.get(address >> shift)
            if ban is not None and ban.refuses(now_s, viewing=viewing):
                return ban
        return None


def _put_newest(bans: dict[T, Ban], key: T, ban: Ban) -> None:
    """Changes that come together may be told in another order than that in which they were made."""
    if key not in bans or bans[key].version <= ban.version:
        bans[key] = ban


def _drop_ended(bans: dict[T, Ban], now_s: float) -> None:
    for key in [key for key, ban in bans.items() if not ban.is_in_force(now_s)]:
        del bans[key]
