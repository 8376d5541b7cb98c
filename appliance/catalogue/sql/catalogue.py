"""The catalogue in a database: puts the ports' implementations together."""

import asyncio
from types import TracebackType
from typing import Any, Self

from appliance.catalogue.change_log import ChangeLog
from appliance.catalogue.sql.albums import AlbumRows
from appliance.catalogue.sql.bans import BanRows
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.day_budgets import DayBudgetRows
from appliance.catalogue.sql.idempotency import IdempotencyRows
from appliance.catalogue.sql.images import ImageRows
from appliance.catalogue.sql.invites import InviteRows
from appliance.catalogue.sql.keys import KeyRows
from appliance.catalogue.sql.nodes import NodeRows
from appliance.catalogue.sql.notes import NoteRows
from appliance.catalogue.sql.outbox import PurgeWriter
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.purges import PurgeRows
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.record_outbox import RecordRows
from appliance.catalogue.sql.row_memory import RowMemory
from appliance.catalogue.sql.uploads import UploadRows
from appliance.catalogue.sql.writer import Session, Writer
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CatalogueUnavailable


class SqlCatalogue:
    """A `Catalogue`, of what its database brings: what writes, what reads and what is kept in memory."""

    def __init__(
        self,
        session: Session,
        readers: Readers,
        memory: RowMemory,
        *,
        purging: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        self._purging = purging
        self._memory = memory
        self._readers = readers
        self._writer = Writer(session, self._settle, PurgeWriter(clock) if purging else None)
        self.images = ImageRows(readers, self._writer, memory)
        self.uploads = UploadRows(readers, self._writer)
        self.albums = AlbumRows(readers, self._writer)
        self.idempotency = IdempotencyRows(readers, self._writer)
        self.purges = PurgeRows(readers, self._writer)
        self.keys = KeyRows(readers, self._writer)
        self.invites = InviteRows(readers, self._writer)
        self.bans = BanRows(readers, self._writer)
        self.records = RecordRows(readers, self._writer)
        self.notes = NoteRows(readers, self._writer)
        self.day_budgets = DayBudgetRows(readers, self._writer)
        self.nodes = NodeRows(readers, self._writer)

    async def start(self) -> None:
        await self._writer.start()

    async def confirm(self) -> None:
        try:
            await self._writer.run(_change_nothing)
        except CatalogueUnavailable as fault:
            if fault.answer is None:
                raise
            await asyncio.shield(fault.answer)

    async def is_standby_awaited(self) -> bool:
        return False

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
    def change_log(self) -> ChangeLog | None:
        return None

    @property
    def fault(self) -> str | None:
        return self._writer.fault

    def require_answering(self) -> None:
        self._writer.require_answering()

    def _settle(self, outcome: Outcome[Any]) -> None:
        """Let what is in memory follow a committed change, before its caller hears of it."""
        self._memory.settle(outcome.rows)
        if outcome.stale and self._purging:
            self.purges.pending.set()


def _change_nothing(_connection: Connection) -> Outcome[None]:
    return Outcome(None)
