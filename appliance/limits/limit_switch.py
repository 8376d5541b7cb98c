"""Whether the limits hold: always, never, or from the first request that a proxy on this machine forwards."""

from dataclasses import dataclass


@dataclass(slots=True)
class LimitSwitch:
    """Limits that wait for a proxy are off until it is met; those by address are none of them, as all have one."""

    is_on: bool = True
    waits_for_proxy: bool = False

    def meet_proxy(self) -> bool:
        """Turn the limits on if they wait for a proxy; returns whether they did."""
        has_waited = self.waits_for_proxy and not self.is_on
        self.is_on = self.is_on or has_waited
        return has_waited

    @property
    def state(self) -> str:
        """`on`, `off`, or `together` for limits on keys and on everybody together, without those by address."""
        if not self.is_on:
            return "off"
        return "together" if self.waits_for_proxy else "on"
