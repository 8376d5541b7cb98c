"""The drain switch: while it is on, the host takes no new uploads. Those that were admitted before may finish."""

from dataclasses import dataclass

from appliance.domain.errors import Draining

RETRY_AFTER_S = 30


@dataclass(slots=True)
class DrainSwitch:
    """Off after every start: draining is temporary, and must not survive a restart unnoticed."""

    announced: bool = False
    """Whether the front should send requests elsewhere, while uploads that still come are accepted."""
    drained: bool = False

    @property
    def is_leaving(self) -> bool:
        """Whether /readyz says so."""
        return self.announced or self.drained

    def require_off(self) -> None:
        """Raises Draining while the host takes no uploads."""
        if self.drained:
            raise Draining(retry_after_s=RETRY_AFTER_S)
