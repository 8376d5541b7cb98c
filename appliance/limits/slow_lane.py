"""The slow lane: uploads that come in without a proof of work while one is asked for, in fair turns.

It is enough for people whose browser has no JavaScript. A network leaves as much of the lane to others as it has had
itself within the hour. So networks that come back again and again can't use it up: one that had less goes first.
"""

import math
from collections.abc import Callable, Container

from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.buckets import Buckets
from appliance.limits.refusals import Refusals

OF_ALL = Policy("slow-anonymous-uploads", QuotaScope.ANONYMOUS, Unit.UPLOADS, 10, 10)
"""One a second, and not sixty at the beginning of a flood."""
OF_A_NETWORK = Policy("slow-prefix-uploads", QuotaScope.PREFIX, Unit.UPLOADS, 6, 60)
TURNS = Policy("slow-turns", QuotaScope.PREFIX, Unit.UPLOADS, 12, 3600)
"""What is remembered of a network: after five minutes one upload less. So some 300 networks that flood stay behind one
that is new; with more of them, the lane has no more than one turn in five minutes for each."""


class SlowLane:
    """Counts uploads for all together and by network. Clients in `aside` have only the limit of all."""

    def __init__(self, *, clock: Callable[[], float], aside: Container[str], refusals: Refusals) -> None:
        self._all, self._networks, self._turns = Buckets(OF_ALL), Buckets(OF_A_NETWORK), Buckets(TURNS)
        self._clock = clock
        self._aside = aside
        self._refusals = refusals

    def wait_s(self, client: str) -> int:
        """In how many seconds the client may upload; 0 for now. Counts nothing."""
        network, now_s = self._network_of(client), self._clock()
        left_to_others = 0.0 if network is None else min(1.0, self._turns.used_share(network, now_s))
        cost = 1 + (OF_ALL.quota - 1) * left_to_others
        waits = {OF_ALL: self._all.wait_s("", cost, now_s)}
        if network is not None:
            waits[OF_A_NETWORK] = self._networks.wait_s(network, 1, now_s)
        policy, wait_s = max(waits.items(), key=lambda item: item[1])
        if wait_s <= 0.0:
            return 0
        self._refusals.note(policy, client)
        return max(1, math.ceil(wait_s))

    def take(self, client: str) -> int:
        """Count an upload. Returns as `wait_s`, and where the client has to wait, nothing is counted."""
        if wait_s := self.wait_s(client):
            return wait_s
        network, now_s = self._network_of(client), self._clock()
        self._all.charge("", 1, now_s)
        if network is not None:
            self._networks.charge(network, 1, now_s)
            if self._turns.used_share(network, now_s) < 1.0:
                self._turns.charge(network, 1, now_s)
        return 0

    def _network_of(self, client: str) -> str | None:
        return None if client in self._aside else prefix_of(client) or client
