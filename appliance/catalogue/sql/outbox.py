"""Enqueues purges: what a change makes stale in shared caches is recorded in the change's own transaction."""

from collections.abc import Mapping

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.domain.clock import Clock

ONE_ROUND, TWO_ROUNDS = 1, 2
"""A second round reaches responses that were on their way to a cache during the first one."""


class PurgeWriter:
    """Adds the rows that `PurgeRows` hands out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def enqueue(self, connection: Connection, stale: Mapping[str, int]) -> None:
        """Enqueue these tags, each to be purged in so many rounds."""
        due_s = int(self._clock())
        values = [{"tag": tag, "due_s": due_s, "rounds": rounds} for tag, rounds in stale.items()]
        if values:
            connection.executemany(sql.ENQUEUE_PURGE, values)
