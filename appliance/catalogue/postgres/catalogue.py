"""The catalogue in a PostgreSQL database."""

from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.readers import PostgresReaders
from appliance.catalogue.postgres.recent_rows import RecentRows
from appliance.catalogue.postgres.standby_waits import is_standby_awaited
from appliance.catalogue.postgres.writing import PostgresSession
from appliance.catalogue.sql.catalogue import SqlCatalogue
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CatalogueUnavailable


class PostgresCatalogue(SqlCatalogue):
    """A `Catalogue` in the database at `url`, of one server, or of the node with this name among several.

    It has `readers` + 1 connections at most.

    While the database can't be asked, images that were looked up within `stale_s` seconds are still found.
    """

    def __init__(
        self,
        url: str,
        *,
        node: str | None = None,
        readers: int = 4,
        stale_s: float = 60.0,
        remembered_rows: int = 20_000,
        purging: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        connector = Connector(url)
        super().__init__(
            PostgresSession(connector, node),
            PostgresReaders(connector, readers),
            RecentRows(remembered_rows, stale_s, clock),
            purging=purging,
            clock=clock,
        )

    async def is_standby_awaited(self) -> bool:
        try:
            return await self._readers.run(is_standby_awaited)
        except CatalogueUnavailable:
            return False
