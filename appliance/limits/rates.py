"""Rates: how fast clients may use one thing, by address, prefix and key, and all without a key together."""

import math
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

from appliance.domain.clients import HOST
from appliance.domain.errors import RateLimited
from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope
from appliance.limits.buckets import MAX_BUCKETS, Buckets
from appliance.limits.limit_switch import LimitSwitch
from appliance.limits.refusals import Refusals
from appliance.limits.unreported import Unreported
from appliance.limits.usage_reports import Meter

RESUME_SHARE = 0.25
"""Of a quota: as much is there again when a client that was stopped in the middle may continue."""
UNREPORTED_SHARE = 1 / 64
"""Of a quota: so much of what a client uses at one node the others need not know."""
SHARED = (QuotaScope.PREFIX, QuotaScope.ANONYMOUS)
"""What many people may share, among whom those who flood don't stand out."""


def is_keyed(client: str) -> bool:
    """Whether the id is that of an access key, of a person who is signed in, or of all guests of an invite."""
    return client.startswith(("key:", "user:", "invite:"))


class Rate:
    """The buckets of every policy on one thing. Without policies, nothing is limited.

    The limits by address and prefix stand aside for clients in `aside`, behind whose address are many people. With
    `is_reported`, the use is that at all nodes: `meters` are where they tell each other.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        *,
        clock: Callable[[], float],
        aside: Container[str],
        refusals: Refusals,
        max_buckets: int = MAX_BUCKETS,
        switch: LimitSwitch | None = None,
        is_reported: bool = False,
    ) -> None:
        buckets = {policy.scope: _buckets(policy, max_buckets, is_reported=is_reported) for policy in policies}
        self._all = tuple(buckets.values())
        self._by_key = buckets.get(QuotaScope.KEY)
        self._by_address = buckets.get(QuotaScope.ADDRESS)
        self._by_prefix = buckets.get(QuotaScope.PREFIX)
        self._together = buckets.get(QuotaScope.ANONYMOUS)
        self._clock = clock
        self._aside = aside
        self._refusals = refusals
        self._switch = switch or LimitSwitch()

    @property
    def meters(self) -> Iterator[Meter]:
        """What is counted together with other nodes."""
        for buckets in self._all:
            if buckets.unreported is not None:
                yield Meter(buckets.policy.name, buckets.unreported, partial(self._count, buckets))

    def _count(self, buckets: Buckets, name: str, cost: float) -> None:
        buckets.count(name, cost, self._clock())

    def resize_together(self, quota: int) -> None:
        """Let everybody without a key together use so much from now on, if there is a policy on them."""
        if self._together is not None:
            self._together.resize(quota)

    def require(self, client: str, cost: float = 1.0) -> None:
        """Raises RateLimited where the client may not use so much now. Counts nothing."""
        now_s = self._clock()
        for buckets, name in self._buckets_of(client):
            if (wait_s := buckets.wait_s(name, cost, now_s)) > 0.0:
                raise self._refusal(buckets, name, client, wait_s)

    def require_no_debt(self, client: str) -> None:
        """Raises RateLimited for a client that used more than it had, with the time until a quarter is there again."""
        now_s = self._clock()
        for buckets, name in self._buckets_of(client):
            if (wait_s := buckets.wait_s(name, 0.0, now_s)) > 0.0:
                raise self._refusal(buckets, name, client, wait_s + buckets.policy.window_s * RESUME_SHARE)

    def is_in_debt(self, client: str) -> bool:
        """Whether the client used more than it had."""
        now_s = self._clock()
        return any(buckets.wait_s(name, 0.0, now_s) > 0.0 for buckets, name in self._buckets_of(client))

    def is_hot(self, client: str, share: float) -> bool:
        """Whether the client's network, or everybody without a key together, has used this share of what it may."""
        now_s = self._clock()
        return any(
            buckets.policy.scope in SHARED and buckets.used_share(name, now_s) >= share
            for buckets, name in self._buckets_of(client)
        )

    def left_of(self, client: str) -> list[tuple[Policy, int]]:
        """Every policy that the client is under, and how much of it is left now."""
        now_s = self._clock()
        return [(buckets.policy, buckets.left(name, now_s)) for buckets, name in self._buckets_of(client)]

    def take(self, client: str, cost: float = 1.0) -> None:
        """Count the use. Raises RateLimited, and then counts nothing."""
        now_s = self._clock()
        found = self._buckets_of(client)
        for buckets, name in found:
            if (wait_s := buckets.wait_s(name, cost, now_s)) > 0.0:
                raise self._refusal(buckets, name, client, wait_s)
        for buckets, name in found:
            buckets.charge(name, cost, now_s)

    def charge(self, client: str, cost: float) -> None:
        """Count a use that has happened, however much it is. A negative cost gives back."""
        self.charge_client(client, cost)
        self.charge_together(client, cost)

    def charge_client(self, client: str, cost: float) -> None:
        """Count the use for the client and its network, and not for everybody together."""
        now_s = self._clock()
        for buckets, name in self._buckets_of(client):
            if buckets is not self._together:
                buckets.charge(name, cost, now_s)

    def charge_together(self, client: str, cost: float) -> None:
        """Count the use of the client for everybody without a key together, if it has none."""
        if self._together is not None and self._switch.is_on and client != HOST and not is_keyed(client):
            self._together.charge("", cost, self._clock())

    def _buckets_of(self, client: str) -> list[tuple[Buckets, str]]:
        """The wide ones first, so that many addresses of one network don't fill the table of addresses."""
        found: list[tuple[Buckets, str]] = []
        if client == HOST or not self._switch.is_on:
            return found
        if is_keyed(client):
            return found if self._by_key is None else [(self._by_key, client)]
        if self._together is not None:
            found.append((self._together, ""))
        if client in self._aside:
            return found
        if self._by_prefix is not None:
            found.append((self._by_prefix, prefix_of(client) or client))
        if self._by_address is not None:
            found.append((self._by_address, client))
        return found

    def _refusal(self, buckets: Buckets, name: str, client: str, wait_s: float) -> RateLimited:
        policy, left = buckets.policy, buckets.left(name, self._clock())
        self._refusals.note(policy, client)
        return RateLimited(
            limit=policy.quota,
            actual=policy.quota - left,
            retry_after_s=max(1, math.ceil(wait_s)),
            policy=policy,
            left=left,
        )


def _buckets(policy: Policy, max_buckets: int, *, is_reported: bool) -> Buckets:
    unreported = Unreported(policy.quota * UNREPORTED_SHARE) if is_reported else None
    return Buckets(policy, max_buckets, unreported)
