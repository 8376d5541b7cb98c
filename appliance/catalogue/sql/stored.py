"""What a catalogue without a server is asked, whatever database it is in."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from appliance.catalogue.sql import image_queries
from appliance.catalogue.sql.change_log import log_began_s
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.notes import get_note
from appliance.catalogue.sql.purges import count_pending
from appliance.catalogue.sql.rows import Row
from appliance.catalogue.values import PendingPurges, RowCounts

P = ParamSpec("P")
T = TypeVar("T")


class StoredRows(ABC):
    """The part of a `StoredCatalogue` that asks for rows."""

    async def count_rows(self) -> RowCounts:
        """How many rows of each kind there are. Reads all of it."""
        return await self._ask(image_queries.count_rows)

    async def find_rows(self, slugs: Sequence[str]) -> dict[str, Row]:
        """The images and tombstones of those slugs that are known."""
        return await self._ask(image_queries.resolve_each, slugs)

    async def last_known_s(self, note: str) -> int | None:
        """The unix second in that note or, without it, when the newest image was made. None without either."""
        text = await self._ask(get_note, note)
        return int(text) if text is not None else await self._ask(image_queries.newest_created_s)

    async def logged_since_s(self) -> int | None:
        """Since which unix second changes are logged for a copy; None if they aren't."""
        return await self._ask(log_began_s)

    async def count_pending_purges(self, now_s: int) -> PendingPurges:
        """How many purges are due at `now_s`, and since when."""
        return await self._ask(count_pending, now_s)

    @abstractmethod
    async def _ask(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query, which may take long, on a connection of its own."""
