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

    async def get(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        async def read_and_keep(flight: Flight) -> Row | None:
            began = self._monotonic()
            row = await read(slug)
            if flight.is_current:
                self._keep(slug, row, began)
            return row

        try:
            return await asyncio.wait_for(self._readings.run(slug, read_and_keep), PATIENCE_S)
        except (CatalogueUnavailable, TimeoutError) as fault:
            row = self._recent(slug)
            if row is not None:
                return row
            if isinstance(fault, CatalogueUnavailable):
                raise
            raise CatalogueUnavailable("The catalogue's database took too long to answer.") from fault

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
