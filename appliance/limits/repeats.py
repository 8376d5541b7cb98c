"""Repeats: whose upload with a known Idempotency-Key is a free repeat, and how often.

A known key alone proves nothing: anybody may know it. So a repeat is free for the network or access key that made
the first upload, and only a few times. Any other counts as an upload like the first.
"""

from collections import OrderedDict
from collections.abc import Callable

from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S
from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.buckets import Buckets
from appliance.limits.rates import is_keyed

OF_AN_UPLOAD = Policy("repeats-of-an-upload", QuotaScope.KEY, Unit.UPLOADS, 20, 600)
OF_A_NETWORK = Policy("prefix-repeats", QuotaScope.PREFIX, Unit.UPLOADS, 60, 60)
"""A program that repeats sends a few requests with growing pauses. Lost answers of a network's whole batch are some
dozens."""
MAX_REMEMBERED = 100_000
"""About 30 MB. Beyond it, the first upload that is longest ago is forgotten, and its repeats count."""
REMEMBERED_S = DAY_S
"""As long as the first answer is kept."""


class Repeats:
    """Remembers who made the first upload with a key, in memory, and counts its repeats. Keys are known by hashes."""

    def __init__(self, *, clock: Callable[[], float], max_remembered: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._max_remembered = max_remembered
        self._first_by: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()
        self._of_upload = Buckets(OF_AN_UPLOAD, max_remembered)
        self._of_network = Buckets(OF_A_NETWORK)

    def __len__(self) -> int:
        """How many first uploads are remembered."""
        return len(self._first_by)

    def remember(self, key_hash: str, client: Client) -> None:
        """Note who made the first upload with the key."""
        now_s = self._clock()
        self._first_by[key_hash] = now_s, _names_of(client)
        while len(self._first_by) > self._max_remembered or self._oldest_s <= now_s - REMEMBERED_S:
            self._first_by.popitem(last=False)

    def are_free(self, key_hash: str, client: Client) -> bool:
        """Whether a repeat by the client counts as no upload now. Counts nothing."""
        if (first_by := self._first_by.get(key_hash)) is None:
            return False
        network, now_s = _network_of(client), self._clock()
        if first_by[1].isdisjoint(_names_of(client)):
            return False
        waits_s = self._of_upload.wait_s(key_hash, 1, now_s), self._of_network.wait_s(network, 1, now_s)
        return max(waits_s) <= 0.0

    def take(self, key_hash: str, client: Client) -> bool:
        """Count a repeat that is free. False, and then nothing is counted, for one that isn't."""
        if not self.are_free(key_hash, client):
            return False
        now_s = self._clock()
        self._of_upload.charge(key_hash, 1, now_s)
        self._of_network.charge(_network_of(client), 1, now_s)
        return True

    @property
    def _oldest_s(self) -> float:
        return next(iter(self._first_by.values()))[0]


def _names_of(client: Client) -> frozenset[str]:
    """The network, and the access key or the person: as which a client is recognised."""
    return frozenset((_network_of(client), client.id) if is_keyed(client.id) else (_network_of(client),))


def _network_of(client: Client) -> str:
    return prefix_of(client.address) or client.address
