"""Rows that were looked up lately, for the moments when the database can't be asked."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from appliance.catalogue.sql.rows import Row
from appliance.domain.clock import Clock
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image
from appliance.shared.single_flight import Flight, SingleFlight

PATIENCE_S = 3.0
"""So long a row that is kept waits for an answer, but only once: while one is due, others don't wait."""


class RecentRows:
    """A `RowMemory` that always asks, because other servers may change rows too; callers at the same time ask once.

    Only where the database doesn't answer, what it said up to `stale_s` seconds before is returned instead: never a
    living image that has expired since, never one that is locked or has one view. `clock` is unix time, `monotonic`
    measures the age. Up to `max_rows` are kept.
    """

    def __init__(
        self, max_rows: int, stale_s: float, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_rows = max_rows
        self._stale_s = stale_s
        self._clock = clock
        self._monotonic = monotonic
        self._rows: OrderedDict[str, tuple[float, Row]] = OrderedDict()
        self._readings: SingleFlight[str, Row | None] = SingleFlight()
        self._is_silent = False

    async def get(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        async def read_and_keep(flight: Flight) -> Row | None:
            began = self._monotonic()
            try:
                row = await read(slug)
            finally:
                self._is_silent = False
            if flight.is_current:
                self._keep(slug, row, began)
            return row

        reading = self._readings.run(slug, read_and_keep)
        if self._recent(slug) is None:
            return await reading
        try:
            return await asyncio.wait_for(reading, 0 if self._is_silent else PATIENCE_S)
        except TimeoutError:
            self._is_silent = slug in self._readings
            return self._recent(slug) or await self._readings.run(slug, read_and_keep)
        except CatalogueUnavailable:
            row = self._recent(slug)
            if row is None:
                raise
            return row

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        for slug, row in rows.items():
            self._readings.forget(slug)
            self._keep(slug, row, self._monotonic())

    def _recent(self, slug: str) -> Row | None:
        asked_at, row = self._rows.get(slug, (0.0, None))
        if row is None or self._monotonic() - asked_at > self._stale_s:
            return None
        if isinstance(row, Image) and row.ended is None and row.expires_s <= self._clock():
            return None
        return row

    def _keep(self, slug: str, row: Row | None, asked_at: float) -> None:
        self._rows.pop(slug, None)
        if row is None or (isinstance(row, Image) and row.is_closed):
            return
        self._rows[slug] = asked_at, row
        while len(self._rows) > self._max_rows:
            self._rows.popitem(last=False)
