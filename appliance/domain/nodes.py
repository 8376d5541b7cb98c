"""Nodes: the servers that share one catalogue and one store."""

from dataclasses import dataclass

BEAT_EVERY_S = 5
DEAD_AFTER_S = 20
"""A node that was silent for so long counts as dead: others take over its leases."""
MAX_CLOCK_SKEW_S = 2.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the catalogue knows it, which sets all that has a default. Times are the database's.

    `url` is where other nodes reach it; `home` is a random id of its data directory. `schema` is the last change of the
    schema that its release knows.
    """

    name: str
    url: str
    home: str
    version: str
    schema: str = ""
    started_at: int = 0
    seen_at: int = 0
    silent_s: int = 0
    """Seconds since its last heartbeat."""
    has_left: bool = False
    """Whether it was stopped in good order."""

    @property
    def is_alive(self) -> bool:
        return not self.has_left and self.silent_s < DEAD_AFTER_S

    @property
    def is_lost(self) -> bool:
        """Whether others may take over its unfinished uploads. One that was only just stopped may soon be back."""
        return self.silent_s >= DEAD_AFTER_S

    @property
    def state(self) -> str:
        """One word: alive, stopped (in good order) or silent."""
        return "alive" if self.is_alive else "stopped" if self.has_left else "silent"


@dataclass(frozen=True, slots=True)
class JobLease:
    """Leave for one node to do what only one may do at a time, for `left_s` seconds more."""

    name: str
    node: str
    left_s: int
