"""What keeps rows in memory, whatever the database."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from appliance.catalogue.sql.rows import Row


class RowMemory(Protocol):
    """Rows by slug, used by the event loop alone."""

    async def get(self, slug: str, read: Callable[[str], Awaitable[Row | None]]) -> Row | None:
        """The row, from memory or as `read` finds it. Raises what `read` raises."""

    def settle(self, rows: Mapping[str, Row | None]) -> None:
        """Take over what a commit made of these slugs. None forgets the slug."""
