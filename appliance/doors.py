"""The doors for uploads: closed while the host is drained. What was let in before may finish; the rest goes on."""

from dataclasses import dataclass

from appliance.errors import Draining

RETRY_AFTER_S = 30


@dataclass(slots=True)
class Doors:
    """Open after every start: draining is for a while, and never outlives its server unnoticed."""

    closed: bool = False

    def check(self) -> None:
        """Before an upload, or more of one, is let in. Raises Draining."""
        if self.closed:
            raise Draining(
                "Uploads are paused for maintenance. Existing images stay available. Try again later.",
                retry_after_s=RETRY_AFTER_S,
            )
