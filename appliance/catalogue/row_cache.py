"""Rows looked up of late, in memory: bounded, least recently used out first, used by the event loop alone."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Final

from appliance.catalogue.rows import Row
from appliance.shared.single_flight import Flight, SingleFlight


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
        self._readings: SingleFlight[str, Row | None] = SingleFlight()

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

        async def read_and_keep(flight: Flight) -> Row | None:
            row = await read(slug)
            # Unknown slugs are not kept: a flood of wrong links must not push good rows out.
            if row is not None and flight.is_current:
                self._put(slug, row)
            return row

        return await self._readings.run(slug, read_and_keep)

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        """Take in what a commit made of these slugs; None forgets, so that the next look reads the file."""
        for slug, row in rows.items():
            self._readings.forget(slug)
            if row is None:
                self._rows.pop(slug, None)
            else:
                self._put(slug, row)

    def _put(self, slug: str, row: Row) -> None:
        self._rows[slug] = row
        self._rows.move_to_end(slug)
        while len(self._rows) > self._limit:
            self._rows.popitem(last=False)
