"""Budgets of bytes a day (UTC), by address, prefix and key, and for all without a key together.

What was used is written behind, every few seconds: a crash forgets no more than that, a stop nothing. Addresses are
neither in the table nor in memory, only names that the key of the day makes of them.
"""

import asyncio
import logging
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from appliance.catalogue import DayBudgetCatalogue
from appliance.domain.clients import HOST
from appliance.domain.clock import DAY_S
from appliance.domain.errors import ApplianceError, BudgetSpent, TooLarge
from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope
from appliance.limits.day_key import DayKey, keep_key, read_key
from appliance.limits.limit_switch import LimitSwitch
from appliance.limits.rates import is_keyed
from appliance.limits.refusals import Refusals
from appliance.limits.unreported import Unreported
from appliance.limits.usage_reports import Meter

log = logging.getLogger(__name__)
MAX_NAMES = 100_000
"""Beyond it, what the client used that did so longest ago is forgotten in memory."""

FAIR_SHARE = 0.3
"""Of what all others have left of the day, one network may use no more: 60 GB of 200 GB when it is alone. However many
use as much as they can, something is left for the next one."""

SHARE_NAME = "prefix-day-share"
"""The policy that a network at its share meets. It has no setting."""

UNREPORTED_SHARE = 1 / 1024
"""Of a quota: so much of what a client uses at one node the others need not know."""

Account = tuple[Policy, str]
"""A budget, and the client or prefix whose it is."""


class DayBudgets:
    """What is used today. Used from the event loop only.

    Without policies, and while switched off, nothing is limited or remembered. With `is_reported`, it is what is used
    at all nodes, as far as this one hears; each keeps that under names of its own.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        *,
        rows: DayBudgetCatalogue,
        key_path: Path,
        clock: Callable[[], float],
        aside: Container[str],
        refusals: Refusals,
        switch: LimitSwitch | None = None,
        is_reported: bool = False,
    ) -> None:
        reported = policies if is_reported else ()
        self._unreported = {policy.scope: Unreported(policy.quota * UNREPORTED_SHARE) for policy in reported}
        self._policies = {policy.scope: policy for policy in policies}
        self._rows = rows
        self._key_path = key_path
        self._clock = clock
        self._aside = aside
        self._refusals = refusals
        self._switch = switch or LimitSwitch()
        self._key = DayKey(self._day())
        self._is_key_kept = False
        self._used: OrderedDict[bytes, int] = OrderedDict()
        self._unsaved: Counter[bytes] = Counter()

    async def start(self) -> None:
        """Continue the day where the last run left it. Raises the catalogue's faults."""
        if not self._policies:
            return
        kept = await asyncio.to_thread(read_key, self._key_path)
        if kept is not None and kept.day - self._day() in (0, 1):
            self._key, self._is_key_kept = kept, True
            largest_first = await self._rows.load(kept.day, MAX_NAMES)
            self._used = OrderedDict(reversed(list(largest_first.items())))
        await self.save()

    async def save(self) -> int:
        """Write what was used since the last time; returns for how many names. Raises OSError, catalogue's faults."""
        if not self._is_limiting:
            return 0
        self._turn_day()
        is_new = not self._is_key_kept
        if is_new:
            await asyncio.to_thread(keep_key, self._key_path, self._key)
            self._is_key_kept = True
        day, unsaved = self._key.day, self._unsaved
        if unsaved or is_new:
            self._unsaved = Counter()
            try:
                await self._rows.add(day, unsaved)
            except BaseException:
                if day == self._key.day:
                    self._unsaved.update(unsaved)
                raise
        return len(unsaved)

    async def stop(self) -> None:
        """Write the rest. A disk or catalogue that is away is logged, and costs the last seconds."""
        try:
            await self.save()
        except (ApplianceError, OSError) as fault:
            log.warning("the last of today's budgets is not saved: %s", fault)

    @property
    def day_key(self) -> DayKey | None:
        """The key of today, which survives a restart; None without policies."""
        self._turn_day()
        return self._key if self._is_limiting else None

    def today(self) -> int:
        """The day whose bytes are counted; days (UTC) count from 1970."""
        self._turn_day()
        return self._key.day

    @property
    def meters(self) -> Iterator[Meter]:
        """As of `Rate`."""
        for scope, unreported in self._unreported.items():
            yield Meter(self._policies[scope].name, unreported, partial(self._count_reported, self._policies[scope]))

    def _count_reported(self, policy: Policy, whose: str, count: float) -> None:
        if self._switch.is_on:
            self._count((policy, whose), int(count))

    @property
    def _is_limiting(self) -> bool:
        return bool(self._policies) and self._switch.is_on

    def require(self, client: str, count: int) -> None:
        """Raises BudgetSpent where so many bytes are more than what is left, or than a network's share of it.

        Raises TooLarge where no day has so many. Counts nothing.
        """
        self._turn_day()
        accounts = self._accounts_of(client)
        for policy, _ in accounts:
            self._require_possible(policy, client, policy.quota, count)
        used = {policy.scope: self._used_of((policy, whose)) for policy, whose in accounts}
        is_shared = QuotaScope.PREFIX in used and QuotaScope.ANONYMOUS in used
        if is_shared:
            together = self._policies[QuotaScope.ANONYMOUS]
            self._require_possible(together, client, int(FAIR_SHARE * together.quota), count)
        for policy, _ in accounts:
            if used[policy.scope] + count > policy.quota:
                raise self._spent(policy, client, used[policy.scope], count)
        if is_shared:
            self._require_fair(client, used[QuotaScope.ANONYMOUS], used[QuotaScope.PREFIX], count)

    def _require_possible(self, policy: Policy, client: str, limit: int, count: int) -> None:
        if count <= limit:
            return
        self._refusals.note(policy, client)
        whose = "" if limit == policy.quota else f", of which one network may use {limit:,}"
        raise TooLarge(
            f"This host accepts {policy.quota:,} bytes a day {policy.who}{whose}, so an upload can't have more.",
            limit=limit,
            actual=count,
        )

    def _require_fair(self, client: str, used_by_all: int, used: int, count: int) -> None:
        """What others announce isn't in `used_by_all`, and what the network announces is in `used`: it gets less."""
        policy = self._policies[QuotaScope.ANONYMOUS]
        share = int(FAIR_SHARE * (policy.quota - max(0, used_by_all - used)))
        if used + count > share:
            of_network = replace(policy, name=SHARE_NAME, scope=QuotaScope.PREFIX, quota=share)
            raise self._spent(of_network, client, used, count)

    def charge_client(self, client: str, count: int) -> None:
        """Count bytes for the client and its network, and not for everybody together. A negative count gives back."""
        for account in self._accounts_of(client):
            if account[0].scope is not QuotaScope.ANONYMOUS:
                self._charge(account, count)

    def charge_together(self, client: str, count: int) -> None:
        """Count the client's bytes for everybody without a key together, if it has none. A negative count gives back.

        They are counted for the client already. Raises BudgetSpent where they are more than what is left, or its
        network has used more than its share, and then counts nothing.
        """
        used = {account[0].scope: (account, self._used_of(account)) for account in self._accounts_of(client)}
        if QuotaScope.ANONYMOUS not in used:
            return
        account, used_by_all = used[QuotaScope.ANONYMOUS]
        if count > 0 and used_by_all + count > account[0].quota:
            raise self._spent(account[0], client, used_by_all, count)
        if count > 0 and QuotaScope.PREFIX in used:
            self._require_fair(client, used_by_all, used[QuotaScope.PREFIX][1], 0)
        self._charge(account, count)

    def _charge(self, account: Account, count: int) -> None:
        self._count(account, count)
        if (unreported := self._unreported.get(account[0].scope)) is not None:
            unreported.add(account[1], count)

    def _count(self, account: Account, count: int) -> None:
        self._turn_day()
        policy, whose = account
        name = self._key.name_of(policy.scope, whose)
        self._used[name] = max(0, self._used.get(name, 0) + count)
        self._used.move_to_end(name)
        self._unsaved[name] += count
        if len(self._used) > MAX_NAMES:
            self._used.popitem(last=False)

    def _used_of(self, account: Account) -> int:
        self._turn_day()
        policy, whose = account
        return self._used.get(self._key.name_of(policy.scope, whose), 0)

    def left_of(self, client: str) -> list[tuple[Policy, int]]:
        """Every budget that the client is under, and how much of it is left today."""
        used = [(account[0], self._used_of(account)) for account in self._accounts_of(client)]
        return [(policy, max(0, policy.quota - count)) for policy, count in used]

    def _accounts_of(self, client: str) -> list[Account]:
        if client == HOST or not self._switch.is_on:
            whose: dict[QuotaScope, str] = {}
        elif is_keyed(client):
            whose = {QuotaScope.KEY: client}
        elif client in self._aside:
            whose = {QuotaScope.ANONYMOUS: ""}
        else:
            whose = {
                QuotaScope.ANONYMOUS: "",
                QuotaScope.PREFIX: prefix_of(client) or client,
                QuotaScope.ADDRESS: client,
            }
        return [(self._policies[scope], name) for scope, name in whose.items() if scope in self._policies]

    def _spent(self, policy: Policy, client: str, used: int, count: int) -> BudgetSpent:
        self._refusals.note(policy, client)
        left = max(0, policy.quota - used)
        retry_after_s = max(1, math.ceil((self._key.day + 1) * DAY_S - self._clock()))
        return BudgetSpent(
            limit=policy.quota, actual=used + count, retry_after_s=retry_after_s, policy=policy, left=left
        )

    def _day(self) -> int:
        return int(self._clock() // DAY_S)

    def _turn_day(self) -> None:
        """On a new day, forget the names of the last one and draw a new key.

        A clock that is set back over midnight, by a day at most, leaves the later day.
        """
        if (day := self._day()) not in (self._key.day, self._key.day - 1):
            self._key, self._is_key_kept = DayKey(day), False
            self._used.clear()
            self._unsaved.clear()
