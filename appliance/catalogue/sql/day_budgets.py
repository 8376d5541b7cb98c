"""The rows of day budgets."""

import heapq
from collections.abc import Mapping

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.writer import Writer

FORGOTTEN_AT_ONCE = 1000


class DayBudgetRows:
    """A `DayBudgetCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def load(self, day: int, limit: int) -> Mapping[bytes, int]:
        return await self._readers.run(_load, day, limit)

    async def add(self, day: int, amounts: Mapping[bytes, int]) -> None:
        await self._writer.run(lambda connection: _add(connection, day, amounts))


def _load(connection: Connection, day: int, limit: int) -> dict[bytes, int]:
    rows = connection.execute(sql.DAY_BUDGETS, {"day": day})
    return dict(heapq.nlargest(limit, ((row[0], row[1]) for row in rows), key=lambda row: row[1]))


def _add(connection: Connection, day: int, amounts: Mapping[bytes, int]) -> Outcome[None]:
    rows = [{"day": day, "name": name, "bytes": count} for name, count in amounts.items()]
    connection.executemany(sql.ADD_TO_DAY_BUDGET, rows)
    connection.execute(sql.FORGET_DAY_BUDGETS, {"day": day, "limit": FORGOTTEN_AT_ONCE})
    return Outcome(None)
