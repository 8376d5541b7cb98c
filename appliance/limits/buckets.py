"""Token buckets of one policy, by client: full at first, emptied by use, refilled at a steady rate.

A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371). So one
that nobody uses costs nothing, and a full one need not be remembered.
"""

from collections import OrderedDict
from dataclasses import replace

from appliance.domain.quotas import Policy
from appliance.limits.unreported import Unreported

MAX_BUCKETS = 100_000
"""About 20 MB. Beyond it, the bucket that was unused for longest is forgotten, which is to be full."""


class Buckets:
    """At most `max_buckets` buckets. Times are in seconds of a clock that never goes back.

    `unreported` collects what is used here for the reports to other nodes.
    """

    def __init__(self, policy: Policy, max_buckets: int = MAX_BUCKETS, unreported: Unreported | None = None) -> None:
        self.policy = policy
        self.unreported = unreported
        self._window_s = policy.window_s
        self._unit_s = policy.window_s / policy.quota
        self._max_buckets = max_buckets
        self._full_s: OrderedDict[str, float] = OrderedDict()

    def resize(self, quota: int) -> None:
        """Let clients use so much from now on. The part of a bucket that a client has used stays."""
        self.policy = replace(self.policy, quota=quota)
        self._unit_s = self._window_s / quota

    def __len__(self) -> int:
        return len(self._full_s)

    def wait_s(self, client: str, cost: float, now_s: float) -> float:
        """How long until the client may use so much; 0 or less for now. A full bucket allows any cost."""
        owed_s = self._full_s.get(client, 0.0) - now_s
        return 0.0 if owed_s <= 0.0 else owed_s + min(cost * self._unit_s, self._window_s) - self._window_s

    def charge(self, client: str, cost: float, now_s: float) -> None:
        """Count the use, even beyond what is there. A negative cost gives back."""
        self.count(client, cost, now_s)
        if self.unreported is not None:
            self.unreported.add(client, cost)

    def count(self, client: str, cost: float, now_s: float) -> None:
        """The same, without reporting it: every node knows of this use."""
        full_s = self._full_s
        full_s[client] = max(full_s.get(client, 0.0), now_s) + cost * self._unit_s
        full_s.move_to_end(client)
        if len(full_s) > self._max_buckets:
            full_s.popitem(last=False)

    def used_share(self, client: str, now_s: float) -> float:
        """Which part of a full bucket the client has used, more than 1 for one in debt."""
        return max(0.0, self._full_s.get(client, 0.0) - now_s) / self._window_s

    def left(self, client: str, now_s: float) -> int:
        """How many units the client may use now."""
        owed_s = max(0.0, self._full_s.get(client, 0.0) - now_s)
        return max(0, int((self._window_s - owed_s) / self._unit_s))
