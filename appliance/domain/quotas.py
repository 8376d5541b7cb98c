"""Quotas: how much of one thing clients may use in a time, and who counts together."""

from dataclasses import dataclass
from enum import StrEnum


class QuotaScope(StrEnum):
    """Who counts together."""

    ADDRESS = "address"
    PREFIX = "prefix"
    """A network around the address: /24 of IPv4, /48 of IPv6."""
    KEY = "key"
    """An access key, or a person whom a trusted proxy has signed in."""
    ANONYMOUS = "anonymous"
    """Everybody without a key."""


class Unit(StrEnum):
    """What is counted, as the RateLimit headers name it."""

    REQUESTS = "requests"
    UPLOADS = "uploads"
    BYTES = "content-bytes"
    SECONDS = "processor-seconds"
    GUESSES = "wrong-passphrases"


WHO = {
    QuotaScope.ADDRESS: "from one address",
    QuotaScope.PREFIX: "from one network",
    QuotaScope.KEY: "with one access key, sign-in or guest link",
    QuotaScope.ANONYMOUS: "from everybody without an access key together",
}
"""Whose use counts, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many units in so many seconds. `name` is that of its setting, with hyphens."""

    name: str
    scope: QuotaScope
    unit: Unit
    quota: int
    window_s: int

    @property
    def who(self) -> str:
        """As in WHO."""
        return WHO[self.scope]
