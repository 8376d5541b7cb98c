"""The outbox of purges: what a change makes stale in shared caches is recorded in the change's own transaction."""

import sqlite3
from collections.abc import Mapping

from appliance.catalogue import statements as sql
from appliance.domain.clock import Clock


class PurgeOutbox:
    """Adds to the rows that `PurgeRows` hands out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enqueue(self, connection: sqlite3.Connection, stale: Mapping[str, int]) -> None:
        """Part of the change that makes these tags stale, each to be purged so many times. Raises sqlite3.Error."""
        due_s = int(self._clock())
        values = [{"tag": tag, "due_s": due_s, "rounds": rounds} for tag, rounds in stale.items()]
        connection.executemany(sql.OWE_PURGE, values)
