"""Opens connections to the catalogue's database, with the time limits that all of them have."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper

from appliance.catalogue.postgres.dialect import translated
from appliance.catalogue.sql.connection import Cursor
from appliance.domain.errors import CatalogueUnavailable

STATEMENT_TIMEOUT_S = 10
_DEFAULTS: Mapping[str, Any] = {
    "application_name": "appliance",
    "client_encoding": "UTF8",
    "connect_timeout": 3,
    "target_session_attrs": "read-write",  # of several hosts, the one that isn't a standby
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # ms
}
_SETTINGS = (
    f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'",
    "SET lock_timeout = '5s'",
    # Of a node that froze or lost its network in its turn: others wait for it, and less long than they would.
    "SET idle_in_transaction_session_timeout = '3s'",
    # The server too notices within half a minute that this machine is gone, and gives up what its session owns.
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 15000",
    # Without this, a statement that takes hours, such as an index, doesn't notice that its client is gone.
    "SET client_connection_check_interval = '2s'",
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class _FlagDumper(Int8Dumper):
    """Flags are stored as 0 and 1, as in SQLite."""

    def dump(self, obj: Any) -> bytes | bytearray | memoryview | None:  # noqa: ANN401
        return super().dump(int(obj))


class PostgresConnection:
    """A `Connection`, used by one thread. Its methods raise psycopg.Error."""

    def __init__(self, raw: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self.raw = raw

    def execute(self, statement: str, values: Mapping[str, Any] | None = None, /) -> Cursor:
        return self.raw.execute(translated(statement), values)

    def executemany(self, statement: str, rows: Iterable[Mapping[str, Any]], /) -> None:
        self.raw.cursor().executemany(translated(statement), rows)

    @property
    def is_lost(self) -> bool:
        """Whether the server or the network ended it."""
        return self.raw.closed or self.raw.broken

    def close(self) -> None:
        self.raw.close()


class Connector:
    """Opens connections to the database at `url`, for any thread.

    After a failure, nothing tries again for as long as the failed attempt took: a server that refuses is asked each
    time, and one that doesn't answer at all keeps threads waiting no more than half of the time.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def connect(self, *, read_only: bool = False) -> PostgresConnection:
        """A connection without a transaction. Raises psycopg.Error, CatalogueUnavailable in a pause."""
        began = time.monotonic()
        with self._lock:
            if began < self._paused_until:
                raise CatalogueUnavailable("The catalogue's database can't be reached. Try again in a moment.")
        try:
            return _connect(self._url, read_only=read_only)
        except psycopg.OperationalError:
            ended = time.monotonic()
            with self._lock:
                self._paused_until = ended + (ended - began)
            raise


def _connect(url: str, *, read_only: bool) -> PostgresConnection:
    raw = psycopg.connect(make_conninfo(**{**_DEFAULTS, **_parts_of(url)}), autocommit=True)
    try:
        raw.adapters.register_dumper(int, Int8Dumper)
        raw.adapters.register_dumper(bool, _FlagDumper)
        for setting in _SETTINGS:
            raw.execute(setting)
        if read_only:
            raw.execute("SET default_transaction_read_only = on")
    except BaseException:
        raw.close()
        raise
    return PostgresConnection(raw)


def _parts_of(url: str) -> Mapping[str, Any]:
    """Raises ProgrammingError without libpq's words: they quote what it can't read, which may be of a password."""
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise psycopg.ProgrammingError("the URL of the database can't be read") from None
