"""Every limit of the host, made of its settings."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from appliance.catalogue import DayBudgetCatalogue
from appliance.config.model import Config
from appliance.config.sections.limits import uploads_of_all
from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.challenges import Challenges
from appliance.limits.day_budgets import DayBudgets
from appliance.limits.key_uploads import KeyUploads
from appliance.limits.limit_switch import LimitSwitch
from appliance.limits.processor_budget import ProcessorBudget
from appliance.limits.proof_of_work import ProofOfWork
from appliance.limits.rates import Rate
from appliance.limits.refusals import Refusals
from appliance.limits.repeats import Repeats
from appliance.limits.sealed_addresses import SealedAddresses
from appliance.limits.slow_lane import SlowLane
from appliance.limits.steady_clock import SteadyClock
from appliance.limits.usage_reports import UsageReports
from appliance.nodes.usage import NeighbourUsage
from appliance.observability.metrics import Metrics

MINUTE_S = 60
PROCESSOR_WINDOW_S = 600
"""A page of a thousand sizes that nobody has seen takes minutes of work at once, so unused seconds are saved up."""


@dataclass(slots=True)
class Limits:
    """The limits by what they are on. `aside` are clients behind whose address are many people.

    They hold for all nodes together, as far as each hears the others' `usage_reports`.
    """

    switch: LimitSwitch
    requests: Rate
    uploads: Rate
    key_uploads: KeyUploads
    repeats: Repeats
    minute_bytes: Rate
    proof_of_work: ProofOfWork
    processor: ProcessorBudget
    day_budgets: DayBudgets
    sealed_addresses: SealedAddresses
    refusals: Refusals
    usage_reports: UsageReports
    following_machines: tuple[Rate, ...] = ()
    """Those that allow everybody without a key together what all machines bear, because no setting says how much."""
    machines: int = 1
    aside: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, config: Config, *, rows: DayBudgetCatalogue, metrics: Metrics, clock: Callable[[], float]) -> "Limits":
        """The limits of a host. With limits off, none of them refuses anything."""
        settings, steady = config.limits, SteadyClock(clock)
        refusals, aside = Refusals(metrics, steady), set[str]()
        switch = LimitSwitch(config.limits_on, config.limits_wait_for_proxy)

        def rate(setting: str, unit: Unit, window_s: int = MINUTE_S, *, is_reported: bool = config.is_node) -> Rate:
            factor = window_s // MINUTE_S  # settings are amounts a minute
            policies = _policies(
                {scope: factor * quota for scope, quota in _quotas(config, setting)}, setting, unit, window_s
            )
            return Rate(policies, clock=steady, aside=aside, refusals=refusals, switch=switch, is_reported=is_reported)

        requests, uploads = rate("requests", Unit.REQUESTS), rate("uploads", Unit.UPLOADS)
        minute_bytes = rate("minute_bytes", Unit.BYTES)
        processor_s = rate("processor_s", Unit.SECONDS, PROCESSOR_WINDOW_S)
        key_uploads = KeyUploads(clock=steady, refusals=refusals, is_reported=config.is_node)
        refused_uploads = rate("uploads", Unit.UPLOADS, is_reported=False)
        day_budgets = DayBudgets(
            _policies(dict(_quotas(config, "day_bytes")), "day_bytes", Unit.BYTES, DAY_S),
            rows=rows,
            key_path=config.day_key_path,
            clock=clock,
            aside=aside,
            refusals=refusals,
            switch=switch,
            is_reported=config.is_node,
        )
        return cls(
            switch=switch,
            requests=requests,
            uploads=uploads,
            key_uploads=key_uploads,
            repeats=Repeats(clock=steady),
            minute_bytes=minute_bytes,
            proof_of_work=ProofOfWork(
                settings.proof_of_work,
                uploads=uploads,
                minute_bytes=minute_bytes,
                refused=refused_uploads,
                slow_lane=SlowLane(clock=steady, aside=aside, refusals=refusals),
                challenges=Challenges(
                    settings.proof_of_work_cost, clock=steady, secret=config.node_key("challenges of uploads")
                ),
            ),
            processor=ProcessorBudget(processor_s),
            day_budgets=day_budgets,
            sealed_addresses=SealedAddresses(lambda: day_budgets.day_key),
            refusals=refusals,
            usage_reports=UsageReports(
                meter
                for part in (uploads, key_uploads, minute_bytes, processor_s, day_budgets, requests)
                for meter in part.meters
            ),
            following_machines=(uploads, refused_uploads) if settings.anonymous_uploads is None else (),
            aside=aside,
        )

    async def follow_machines(self, usage: NeighbourUsage) -> None:
        """Fit to the machines whose nodes are alive. Raises the catalogue's faults."""
        self.machines = await usage.machines()
        for each in self.following_machines:
            each.resize_together(uploads_of_all(self.machines))

    def without_requests(self) -> "Limits":
        """The same, where requests have no limit, as for those that another node has counted and passed on."""
        return replace(self, requests=Rate((), clock=time.monotonic, aside=(), refusals=self.refusals))

    def left_of(self, client: Client) -> list[tuple[Policy, int]]:
        """What the client may upload and ask for: every policy that it is under, and how much of it is left now."""
        parts = (self.requests, self.uploads, self.minute_bytes, self.day_budgets)
        accounts = [each for account in client.accounts for part in parts for each in part.left_of(account)]
        return [*self.key_uploads.left_of(client.access_key), *accounts]


def _scopes(config: Config) -> Collection[QuotaScope]:
    """Behind a proxy that isn't trusted all people have one address, so that limits by address are none."""
    if config.limits_wait_for_proxy:
        return (QuotaScope.KEY, QuotaScope.ANONYMOUS)
    return tuple(QuotaScope) if config.limits_on else ()


def _quotas(config: Config, setting: str) -> Iterator[tuple[QuotaScope, int]]:
    """The scopes that have a quota of the setting."""
    for scope in _scopes(config):
        quota = getattr(config.limits, f"{scope}_{setting}", 0)
        if quota := uploads_of_all(1) if quota is None else quota:
            yield scope, quota


def _policies(quotas: Mapping[QuotaScope, int], setting: str, unit: Unit, window_s: int) -> list[Policy]:
    return [
        Policy(f"{scope}-{setting}".replace("_", "-"), scope, unit, quota, window_s) for scope, quota in quotas.items()
    ]
