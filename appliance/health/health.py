"""Health: whether the server is ready, each part's state, and the requests in flight, which a graceful stop awaits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.uploads.drain_switch import DrainSwitch


class HealthCheck(Protocol):
    """The state of one part."""

    @property
    def name(self) -> str:
        """The part's name in the report."""

    def state(self) -> str:
        """`ok`, or a few words on what is wrong, which anybody may read. Must be cheap."""


@dataclass(slots=True)
class Health:
    """The state of the server: an `essential` part that isn't ok makes it unready, a `helpful` one degraded."""

    drain_switch: DrainSwitch
    essential: Sequence[HealthCheck]
    helpful: Sequence[HealthCheck]
    started: bool = False
    stopping: bool = False
    in_flight: int = 0

    def report(self) -> tuple[bool, dict[str, object]]:
        """Whether requests should be sent here, and a report of each part's state."""
        essential = {check.name: check.state() for check in self.essential}
        helpful = {check.name: check.state() for check in self.helpful}
        serving = self.started and not self.stopping and not self.drain_switch.is_leaving
        ready = serving and all(state == "ok" for state in essential.values())
        degraded = any(state != "ok" for state in helpful.values())
        status = ("degraded" if degraded else "ready") if ready else self._why_not()
        return ready, {"status": status, "parts": essential | helpful}

    def _why_not(self) -> str:
        if self.stopping:
            return "stopping"
        return "draining" if self.drain_switch.is_leaving else "not ready"
