"""Preconditions: a change that is meant for certain versions of an image or album only."""

from appliance.domain.errors import VersionMismatch

AllowedVersions = frozenset[int] | None
"""The versions that a change is meant for; None for any."""


def require_version(version: int, allowed: AllowedVersions) -> None:
    """Raises VersionMismatch if the change isn't meant for this version."""
    if allowed is not None and version not in allowed:
        raise VersionMismatch
