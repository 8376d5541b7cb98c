"""Rows that were looked up lately, in memory: bounded, least recently used out first, used by the event loop alone."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from appliance.catalogue.sql.rows import Row
from appliance.shared.single_flight import Flight, SingleFlight


class RowCache:
    """A `RowMemory`, coherent because `settle` sees every change after its commit and before its caller hears of it.

    A row that was read from the file is kept only if no change to its slug settled since the reading began.
    """

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._readings: SingleFlight[str, Row | None] = SingleFlight()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, slug: str) -> bool:
        return slug in self._rows

    async def get(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        """The row in memory, or else what `read` finds. Callers who miss the same slug share one reading."""
        row = self._rows.get(slug)
        if row is not None:
            self._rows.move_to_end(slug)
            return row

        async def read_and_keep(flight: Flight) -> Row | None:
            row = await read(slug)
            # Unknown slugs are not kept: a flood of wrong links must not push good rows out.
            if row is not None and flight.is_current:
                self._put(slug, row)
            return row

        return await self._readings.run(slug, read_and_keep)

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        """Take over what a commit made of these slugs. None forgets the slug, so that the next `get` reads the file."""
        for slug, row in rows.items():
            self._readings.forget(slug)
            if row is None:
                self._rows.pop(slug, None)
            else:
                self._put(slug, row)

    def _put(self, slug: str, row: Row) -> None:
        self._rows[slug] = row
        self._rows.move_to_end(slug)
        while len(self._rows) > self._max_rows:
            self._rows.popitem(last=False)
