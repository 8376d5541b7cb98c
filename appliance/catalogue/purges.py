"""The rows of purges: tags that shared caches have to forget. Each is owed in the transaction that makes it stale."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from appliance.catalogue import statements as sql
from appliance.catalogue.readers import Readers
from appliance.catalogue.writer import Outcome, Writer

COUNTED_AT_MOST = 10_000
ONCE, TWICE = 1, 2
"""A second round is for answers that were on their way to a cache when the first came by."""

Connection = sqlite3.Connection


@dataclass(frozen=True, slots=True)
class Purge:
    """A tag to forget, due since a unix second, in so many rounds; `turn` tells it from the same tag owed anew."""

    tag: str
    due_s: int
    rounds: int
    turn: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many purges are due, counted no further than `COUNTED_AT_MOST`, and since when the oldest is."""

    tags: int = 0
    oldest_due_s: int | None = None


class PurgeRows:
    """Purges that are owed. Changes are durable when they return; faults are the catalogue's."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer
        self.owed = asyncio.Event()
        """Set whenever one comes to be owed; whoever looks after them clears it."""

    async def due(self, now_s: int, limit: int) -> list[Purge]:
        """Those due, longest first."""
        return await self._readers.run(_due, now_s, limit)

    async def confirm(self, purges: Sequence[Purge], *, again_s: int) -> None:
        """A round of each is done; the next is due at `again_s`. What was owed anew meanwhile stays due."""
        await self._writer.run(lambda connection: _confirm(connection, purges, again_s))

    async def waiting(self, now_s: int) -> Waiting:
        return await self._readers.run(waiting, now_s)


def waiting(connection: Connection, now_s: int) -> Waiting:
    values = {"now_s": now_s, "cap": COUNTED_AT_MOST}
    return Waiting(*connection.execute(sql.COUNT_PURGES, values).fetchone())


def _due(connection: Connection, now_s: int, limit: int) -> list[Purge]:
    rows = connection.execute(sql.PURGES_DUE, {"now_s": now_s, "limit": limit}).fetchall()
    return [Purge(*row) for row in rows]


def _confirm(connection: Connection, purges: Sequence[Purge], again_s: int) -> Outcome[None]:
    values = [asdict(purge) | {"due_s": again_s} for purge in purges]
    connection.executemany(sql.END_PURGE, values)
    connection.executemany(sql.REPEAT_PURGE, values)
    return Outcome(None)
