"""Enqueues purges: what a change makes stale in shared caches is recorded in the change's own transaction."""

import sqlite3
from collections.abc import Mapping

from appliance.catalogue.sqlite import statements as sql
from appliance.domain.clock import Clock

ONE_ROUND, TWO_ROUNDS = 1, 2
"""A second round reaches responses that were on their way to a cache during the first one."""


class PurgeWriter:
    """Adds the rows that `PurgeRows` hands out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enqueue(self, connection: sqlite3.Connection, stale: Mapping[str, int]) -> None:
        """Enqueue these tags, each to be purged in so many rounds. Raises sqlite3.Error."""
        due_s = int(self._clock())
        values = [{"tag": tag, "due_s": due_s, "rounds": rounds} for tag, rounds in stale.items()]
        connection.executemany(sql.ENQUEUE_PURGE, values)
