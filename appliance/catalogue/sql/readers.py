"""What runs queries of rows, whatever the database."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from appliance.catalogue.sql.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
Query = Callable[Concatenate[Connection, P], T]


class Readers(Protocol):
    """Runs short queries off the event loop. They raise named errors only."""

    async def run(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The query's result. Raises Stopping, CatalogueUnavailable, CatalogueDamaged."""

    def close(self) -> None:
        """Block until running queries are done, and close the connections."""
