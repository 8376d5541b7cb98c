"""How many uploads a minute an access key may begin, where its operator has given it a limit of its own."""

import math
from collections.abc import Callable, Iterator

from appliance.domain.access_keys import AccessKey
from appliance.domain.errors import RateLimited
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.buckets import Buckets
from appliance.limits.rates import UNREPORTED_SHARE
from appliance.limits.refusals import Refusals
from appliance.limits.unreported import Unreported
from appliance.limits.usage_reports import Meter

NAME = "key-uploads-a-minute"
WINDOW_S = 60


class KeyUploads:
    """The buckets of keys. They hold whole minutes, of which an upload takes the share that the key's limit says."""

    def __init__(self, *, clock: Callable[[], float], refusals: Refusals, is_reported: bool = False) -> None:
        unreported = Unreported(UNREPORTED_SHARE) if is_reported else None
        self._minutes = Buckets(Policy(NAME, QuotaScope.KEY, Unit.UPLOADS, 1, WINDOW_S), unreported=unreported)
        self._clock = clock
        self._refusals = refusals

    @property
    def meters(self) -> Iterator[Meter]:
        """As of `Rate`."""
        if self._minutes.unreported is not None:
            yield Meter(NAME, self._minutes.unreported, self._count)

    def _count(self, key_id: str, minutes: float) -> None:
        self._minutes.count(key_id, minutes, self._clock())

    def require(self, key: AccessKey | None) -> None:
        """Raises RateLimited where the key may not begin an upload now. Counts nothing."""
        if key is None or (quota := key.limits.max_uploads_a_minute) is None:
            return
        wait_s = self._minutes.wait_s(key.id, 1 / quota, self._clock()) if quota else float(WINDOW_S)
        if wait_s > 0.0:
            raise self._refusal(key, quota, math.ceil(wait_s))

    def take(self, key: AccessKey | None) -> None:
        """Count an upload that begins. Raises RateLimited, and then counts nothing."""
        self.require(key)
        if key is not None and key.limits.max_uploads_a_minute:
            self._minutes.charge(key.id, 1 / key.limits.max_uploads_a_minute, self._clock())

    def left_of(self, key: AccessKey | None) -> list[tuple[Policy, int]]:
        """The limit of the key, and how many uploads of it are left now; nothing without one."""
        if key is None or (quota := key.limits.max_uploads_a_minute) is None:
            return []
        used = self._minutes.used_share(key.id, self._clock()) * quota
        return [(_policy(quota), max(0, int(quota - used)))]

    def _refusal(self, key: AccessKey, quota: int, retry_after_s: int) -> RateLimited:
        policy = _policy(quota)
        self._refusals.note(policy, f"key:{key.id}")
        return RateLimited(
            limit=quota,
            actual=quota,
            retry_after_s=retry_after_s,
            policy=policy,
        )


def _policy(quota: int) -> Policy:
    return Policy(NAME, QuotaScope.KEY, Unit.UPLOADS, quota, WINDOW_S)
