"""Rows looked up of late, in memory: bounded, least recently used out first, used by the event loop alone."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Final

from appliance.catalogue.rows import Row


class Miss(Enum):
    """Nothing is known in memory; the answer takes a look into the file."""

    MISS = "miss"


MISS: Final = Miss.MISS


class RecentRows:
    """Coherent because all writes pass `settle` after their commit, before their caller is told.

    A row read from the file is kept only if no write to its slug settled since the reading began.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._reading: dict[str, asyncio.Future[Row | None]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def peek(self, slug: str) -> Row | Miss:
        row = self._rows.get(slug)
        if row is None:
            return MISS
        self._rows.move_to_end(slug)
        return row

    async def read_through(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        """What `read` finds; several who miss the same slug wait for one reading."""
        reading = self._reading.get(slug)
        if reading is None:
            reading = self._reading[slug] = asyncio.ensure_future(read(slug))
            reading.add_done_callback(lambda done: self._keep(slug, done))
        return await asyncio.shield(reading)

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        """Take in what a commit made of these slugs; None forgets, so that the next look reads the file."""
        for slug, row in rows.items():
            self._reading.pop(slug, None)
            if row is None:
                self._rows.pop(slug, None)
            else:
                self._put(slug, row)

    def _keep(self, slug: str, done: asyncio.Future[Row | None]) -> None:
        row = None if done.cancelled() or done.exception() else done.result()
        if self._reading.get(slug) is not done:
            return
        del self._reading[slug]
        if row is not None:  # unknown slugs are not kept: a flood of wrong links must not push good rows out
            self._put(slug, row)

    def _put(self, slug: str, row: Row) -> None:
        self._rows[slug] = row
        self._rows.move_to_end(slug)
        while len(self._rows) > self._limit:
            self._rows.popitem(last=False)
