"""What one access key allows: whether it is valid, and whether another image stays within its limits."""

from appliance.domain.access_keys import AccessKey, KeyUsage, Scope, day_of
from appliance.domain.clock import DAY_S
from appliance.domain.errors import (
    BudgetSpent,
    KeyBytesUsedUp,
    KeyExpired,
    KeyImagesUsedUp,
    KeyRevoked,
    KeyScope,
    TooLarge,
)
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.domain.upload_options import check_expiry_s

_SCOPES = {
    Scope.UPLOAD: "upload",
    Scope.MANAGE: "change or delete anything",
    Scope.OPERATE: "read the status of this host",
}


def require_valid(key: AccessKey, now_s: float) -> None:
    """Raises KeyRevoked, KeyExpired."""
    if key.revoked_s is not None:
        raise KeyRevoked
    if key.expires_s is not None and key.expires_s <= now_s:
        raise KeyExpired


def require_scope(key: AccessKey, scope: Scope) -> None:
    """Raises KeyScope."""
    if scope not in key.scopes:
        raise KeyScope(f"This access key can't be used to {_SCOPES[scope]}: it has no scope “{scope.value}”.")


def require_manager(key: AccessKey, uploaded_with: str | None) -> None:
    """Raises KeyScope unless the key may change and delete what was uploaded with the key of that id."""
    require_scope(key, Scope.MANAGE)
    if key.id != uploaded_with:
        raise KeyScope("This was not uploaded with this access key, so it needs its delete token.")


def require_within(key: AccessKey, usage: KeyUsage, file_bytes: int, now_s: float) -> None:
    """Raises TooLarge, KeyUsedUp or BudgetSpent where one more image of so many bytes would exceed the key's limits."""
    limits, then = key.limits, usage.on(day_of(now_s)).with_image(file_bytes)
    for max_bytes in (limits.max_file_bytes, limits.max_bytes_a_day):  # no day has room for more than the second
        if max_bytes is not None and file_bytes > max_bytes:
            raise TooLarge(limit=max_bytes, actual=file_bytes)
    if limits.max_images is not None and then.images > limits.max_images:
        raise KeyImagesUsedUp(limit=limits.max_images, actual=then.images)
    if limits.max_bytes is not None and then.bytes > limits.max_bytes:
        raise KeyBytesUsedUp(limit=limits.max_bytes, actual=then.bytes)
    budgets = (
        ("key-images-a-day", Unit.UPLOADS, limits.max_images_a_day, then.day_images, 1),
        ("key-bytes-a-day", Unit.BYTES, limits.max_bytes_a_day, then.day_bytes, file_bytes),
    )
    for name, unit, limit, actual, wanted in budgets:
        if limit is not None and actual > limit:
            raise BudgetSpent(
                limit=limit,
                actual=actual,
                retry_after_s=max(1, DAY_S - int(now_s) % DAY_S),
                policy=Policy(name, QuotaScope.KEY, unit, limit, DAY_S),
                left=max(0, limit - actual + wanted),
            )


def require_expiry(key: AccessKey | None, expires_in_s: int | None) -> None:
    """Raises InvalidExpiry where an image may not be kept for that many seconds with this key."""
    if key is not None and key.limits.max_expiry_s is not None and expires_in_s is not None:
        check_expiry_s(expires_in_s, key.limits.max_expiry_s)


def default_expiry_s(key: AccessKey | None, host_default_s: int) -> int:
    """How long an image is kept whose uploader chose nothing, in seconds."""
    if key is None or key.limits.max_expiry_s is None:
        return host_default_s
    return min(host_default_s, key.limits.max_expiry_s)


def max_file_bytes(key: AccessKey | None, host_max_bytes: int) -> int:
    """The largest file that may be uploaded."""
    if key is None or key.limits.max_file_bytes is None:
        return host_max_bytes
    return min(host_max_bytes, key.limits.max_file_bytes)
