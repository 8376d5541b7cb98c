"""Rows that were looked up lately, for the moments when the database can't be asked."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from appliance.catalogue.sql.rows import Row
from appliance.domain.clock import Clock
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image
from appliance.shared.keyed_locks import KeyedLocks
from appliance.shared.single_flight import Flight, SingleFlight

PATIENCE_S = 3.0
"""How long a row that is kept waits for an answer. After a slower one none waits, until one comes in `QUICK_S`."""
QUICK_S = 1.0
MAX_ASKED = 4
"""Of a slow database: so many questions at a time have no caller who waits, so that they don't make it slower."""


class RecentRows:
    """A `RowMemory` that always asks, because other servers may change rows too.

    Callers who wait for the same row share one question, but only one that is asked after they came: what another node
    answered before that is in what they get.

    Only where the database doesn't answer, or not soon, what it said up to `stale_s` seconds before is returned
    instead: never a living image that has expired since, never one that is locked or has one view. `clock` is unix
    time, `monotonic` measures the age. Up to `max_rows` are kept.
    """

    def __init__(
        self, max_rows: int, stale_s: float, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_rows = max_rows
        self._stale_s = stale_s
        self._clock = clock
        self._monotonic = monotonic
        self._rows: OrderedDict[str, tuple[float, Row]] = OrderedDict()
        self._waiting: SingleFlight[str, Row | None] = SingleFlight()
        self._turns = KeyedLocks()
        self._asked: dict[str, Flight] = {}
        self._is_slow = False

    async def get(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        async def read_in_turn(flight: Flight) -> Row | None:
            async with self._turns.holding(slug):
                return await self._read_and_keep(slug, read, flight)

        if (row := self._recent(slug)) is None:
            return await self._waiting.run(slug, read_in_turn)
        if self._is_slow and len(self._waiting) + len(self._asked) >= MAX_ASKED:
            return row
        reading = self._waiting.start(slug, read_in_turn)
        await asyncio.wait({reading}, timeout=0 if self._is_slow else PATIENCE_S)
        if not reading.done():
            self._is_slow = True
            if (row := self._recent(slug)) is not None:
                return row
        try:
            return await asyncio.shield(reading)
        except CatalogueUnavailable:
            if (row := self._recent(slug)) is None:
                raise
            return row

    async def _read_and_keep(
        self, slug: str, read: Callable[[str], Awaitable[Row | None]], flight: Flight
    ) -> Row | None:
        """Ask. Anyone who comes from here on has to ask once more: the answer may be older than what they know."""
        self._waiting.forget(slug)
        self._asked[slug] = flight
        began = self._monotonic()
        try:
            row = await read(slug)
        finally:
            self._note_answer(self._monotonic() - began)
            is_latest = self._asked.pop(slug, None) is flight
        if is_latest:
            self._keep(slug, row, began)
        return row

    def _note_answer(self, seconds: float) -> None:
        if seconds > PATIENCE_S:
            self._is_slow = True
        elif seconds <= QUICK_S:
            self._is_slow = False

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        for slug, row in rows.items():
            self._asked.pop(slug, None)
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
