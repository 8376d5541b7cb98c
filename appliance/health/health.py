"""Health: alive, ready, and how each part is. Also what a graceful stop needs to know: what is still in flight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.uploads.drain_switch import DrainSwitch


class HealthCheck(Protocol):
    """How one part is."""

    @property
    def name(self) -> str:
        """The part's name in the report."""

    def state(self) -> str:
        """`ok`, or a few words on what is wrong, which anybody may read. Costs next to nothing."""


@dataclass(slots=True)
class Health:
    """The state of the server. Parts in `essential` make it unready when they are not ok, the others only degraded."""

    drain_switch: DrainSwitch
    essential: Sequence[HealthCheck]
    helpful: Sequence[HealthCheck]
    started: bool = False
    stopping: bool = False
    in_flight: int = 0

    def report(self) -> tuple[bool, dict[str, object]]:
        """Whether to send requests here, and each part's state."""
        essential = {check.name: check.state() for check in self.essential}
        helpful = {check.name: check.state() for check in self.helpful}
        serving = self.started and not self.stopping and not self.drain_switch.drained
        ready = serving and all(state == "ok" for state in essential.values())
        degraded = any(state != "ok" for state in helpful.values())
        status = ("degraded" if degraded else "ready") if ready else self._why_not()
        return ready, {"status": status, "parts": essential | helpful}

    def _why_not(self) -> str:
        if self.stopping:
            return "stopping"
        return "draining" if self.drain_switch.drained else "not ready"
