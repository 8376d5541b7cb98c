"""The drain switch: while it is set the host takes no uploads. Those that it let in before may finish."""

from dataclasses import dataclass

from appliance.domain.errors import Draining

RETRY_AFTER_S = 30


@dataclass(slots=True)
class DrainSwitch:
    """Off after every start: draining is for a while, and never outlives its server unnoticed."""

    drained: bool = False

    def require_off(self) -> None:
        """Raises Draining while the host takes no uploads."""
        if self.drained:
            raise Draining(retry_after_s=RETRY_AFTER_S)
