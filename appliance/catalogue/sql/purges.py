"""The rows of purges: tags that shared caches have to purge, each enqueued by the change that made it stale."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outbox import TWO_ROUNDS
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.writer import Writer
from appliance.catalogue.values import COUNT_LIMIT, PendingPurges, Purge


class PurgeRows:
    """A `PurgeOutbox`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer
        self.pending = asyncio.Event()

    async def enqueue(self, tags: Sequence[str]) -> None:
        await self._writer.run(lambda _connection: Outcome(None, stale=dict.fromkeys(tags, TWO_ROUNDS)))

    async def due(self, now_s: int, limit: int) -> list[Purge]:
        return await self._readers.run(_due, now_s, limit)

    async def confirm(self, purges: Sequence[Purge], *, again_s: int) -> None:
        await self._writer.run(lambda connection: _confirm(connection, purges, again_s))

    async def count_pending(self, now_s: int) -> PendingPurges:
        return await self._readers.run(count_pending, now_s)


def count_pending(connection: Connection, now_s: int) -> PendingPurges:
    """How many purges are due, and since when."""
    values = {"now_s": now_s, "cap": COUNT_LIMIT}
    return PendingPurges(*connection.execute(sql.COUNT_PURGES, values).fetchone())


def _due(connection: Connection, now_s: int, limit: int) -> list[Purge]:
    rows = connection.execute(sql.PURGES_DUE, {"now_s": now_s, "limit": limit}).fetchall()
    return [Purge(*row) for row in rows]


def _confirm(connection: Connection, purges: Sequence[Purge], again_s: int) -> Outcome[None]:
    values = [asdict(purge) | {"due_s": again_s} for purge in purges]
    connection.executemany(sql.END_PURGE, values)
    connection.executemany(sql.REPEAT_PURGE, values)
    return Outcome(None)
