"""Who was refused by a limit in the last minute: in memory, and never as a whole address."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy
from appliance.observability.metrics import Metrics

RECENT_S = 60.0
MAX_NAMES = 1000
MAX_SHOWN = 5


@dataclass(slots=True)
class _Refused:
    count: int = 0
    last_s: float = 0.0


class Refusals:
    """Counts refusals by policy, and by the network or key that met them."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._counter = metrics.limited
        self._clock = clock
        self._refused: OrderedDict[tuple[str, str], _Refused] = OrderedDict()

    def note(self, policy: Policy, client: str) -> None:
        """Count a refusal."""
        self._counter.labels(policy.name).inc()
        key = policy.name, prefix_of(client) or client
        refused, now_s = self._refused.setdefault(key, _Refused()), self._clock()
        refused.count = 1 if refused.last_s < now_s - RECENT_S else refused.count + 1
        refused.last_s = now_s
        self._refused.move_to_end(key)
        if len(self._refused) > MAX_NAMES:
            self._refused.popitem(last=False)

    @property
    def at_limit(self) -> int:
        """How many networks and keys were refused in the last minute."""
        return len({name for _, name in self._recent()})

    def report(self) -> dict[str, object]:
        """For each policy how many are at it, and those with most refusals."""
        by_policy: dict[str, dict[str, int]] = {}
        for (policy, name), refused in self._recent().items():
            by_policy.setdefault(policy, {})[name] = refused.count
        return {
            policy: {"clients": len(names), "most_refused": dict(_most(names))} for policy, names in by_policy.items()
        }

    def _recent(self) -> dict[tuple[str, str], _Refused]:
        """A copy, made at once: metrics are read by another thread."""
        since_s = self._clock() - RECENT_S
        return {key: refused for key, refused in tuple(self._refused.items()) if refused.last_s >= since_s}


def _most(names: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(names.items(), key=lambda item: -item[1])[:MAX_SHOWN]
