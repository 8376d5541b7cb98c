"""The catalogue in one SQLite file: opens it, and puts the ports' implementations together."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from appliance.catalogue.sqlite.albums import AlbumRows
from appliance.catalogue.sqlite.bans import BanRows
from appliance.catalogue.sqlite.day_budgets import DayBudgetRows
from appliance.catalogue.sqlite.idempotency import IdempotencyRows
from appliance.catalogue.sqlite.images import ImageRows
from appliance.catalogue.sqlite.invites import InviteRows
from appliance.catalogue.sqlite.keys import KeyRows
from appliance.catalogue.sqlite.notes import NoteRows
from appliance.catalogue.sqlite.outbox import PurgeWriter
from appliance.catalogue.sqlite.purges import PurgeRows
from appliance.catalogue.sqlite.readers import Readers
from appliance.catalogue.sqlite.record_outbox import RecordRows
from appliance.catalogue.sqlite.row_cache import RowCache
from appliance.catalogue.sqlite.uploads import UploadRows
from appliance.catalogue.sqlite.writer import Outcome, Writer
from appliance.domain.clock import Clock, system_clock


class SqliteCatalogue:
    """A `Catalogue`. One thread writes; `readers` threads read; up to `cached_rows` rows stay in memory."""

    def __init__(
        self,
        path: Path,
        *,
        readers: int = 3,
        cached_rows: int = 20_000,
        purging: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        self._purging = purging
        self._cache = RowCache(cached_rows)
        self._writer = Writer(path, self._settle, PurgeWriter(clock) if purging else None)
        self._readers = Readers(path, readers)
        self.images = ImageRows(self._readers, self._writer, self._cache)
        self.uploads = UploadRows(self._readers, self._writer)
        self.albums = AlbumRows(self._readers, self._writer)
        self.idempotency = IdempotencyRows(self._readers, self._writer)
        self.purges = PurgeRows(self._readers, self._writer)
        self.keys = KeyRows(self._readers, self._writer)
        self.invites = InviteRows(self._readers, self._writer)
        self.bans = BanRows(self._readers, self._writer)
        self.records = RecordRows(self._readers, self._writer)
        self.notes = NoteRows(self._readers, self._writer)
        self.day_budgets = DayBudgetRows(self._readers, self._writer)

    async def start(self) -> None:
        await self._writer.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._readers.close)
        await self._writer.stop()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def writer(self) -> Writer:
        """The thread that all changes go through."""
        return self._writer

    @property
    def fault(self) -> str | None:
        return self._writer.fault

    def _settle(self, outcome: Outcome[Any]) -> None:
        """Let what is in memory follow a committed change, before its caller hears of it."""
        self._cache.settle(outcome.rows)
        if outcome.stale and self._purging:
            self.purges.pending.set()
