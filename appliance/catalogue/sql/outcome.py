"""Operations that change rows, and what comes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.rows import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """An operation's result for its caller, and what became of the rows that it touched (None: read them again)."""

    value: T
    rows: Mapping[str, Row | None] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    """Tags under which shared caches may hold outdated responses, and in how many rounds to purge each."""


Operation = Callable[[Connection], Outcome[T]]
"""It does all of its change or raises. It may run more than once, each time on what is in the database then."""
