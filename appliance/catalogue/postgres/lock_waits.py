"""Waiting for locks that other sessions hold on the catalogue's tables, and saying who holds them.

Everybody else queues behind a strong lock that is waited for. So what needs one asks briefly, and is tried again after
a pause. A second session looks who holds the locks, because the one that waits can't.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import sleep
from typing import TypeVar

import psycopg
from psycopg.errors import LockNotAvailable

from appliance.catalogue.moving import Tell
from appliance.catalogue.postgres.connections import Connector, PostgresConnection
from appliance.catalogue.postgres.faults import REPEATABLE
from appliance.domain.errors import CatalogueUnavailable, SchemaInUse

T = TypeVar("T")
MAX_WAIT_S = 600.0
PAUSE_S = 1.0
"""So briefly and seldom others queue behind this."""
SAID_AFTER_S = 1.0
"""So long a wait is worth a line, and one that has to be asked for again."""
SAID_EVERY_S = 60.0
LOOK_EVERY_S = 0.1
"""A lock that is asked for briefly is waited for during two looks."""
MAX_HOLDERS = 3
MAX_TEXT = 120
_GIVEN_UP = (LockNotAvailable, *REPEATABLE, SchemaInUse)
_HOLDERS = """
    SELECT holder, application_name, backend_type, state = 'active',
        nullif(query, '<insufficient privilege>'),
        extract(epoch FROM clock_timestamp() - xact_start)::float8
    FROM (SELECT DISTINCT unnest(pg_blocking_pids(%(pid)s::int)) AS holder) AS holders
    LEFT JOIN pg_stat_activity ON pid = holder
    ORDER BY xact_start, holder"""
_AWAITS_STANDBY = "SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = %(pid)s::int"
_STANDBY = -1  # as if it held a lock


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A session that others wait for. Its `pid` is 0 if a prepared transaction holds the lock.

    What this user may not see of it is None.
    """

    pid: int
    application: str | None
    kind: str | None
    is_running: bool | None
    statement: str | None
    open_s: float | None

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        parts = [f"{_shortened(self.application or self.kind or 'a session')} (process {self.pid}"]
        if self.open_s is not None:
            parts.append(f"its transaction has been open for {_duration(self.open_s)}")
        if self.statement:
            parts.append(f"{'runs' if self.is_running else 'last ran'}: {_shortened(self.statement)}")
        return f"{', '.join(parts)})"


class LockWaits:
    """How sessions with the database at `url` wait for locks: `tell` is called with who holds them.

    They wait for `max_wait_s` at most; None is MAX_WAIT_S. Used by one thread, for one session at a time.
    """

    def __init__(self, url: str, tell: Tell, max_wait_s: float | None = None) -> None:
        self._url = url
        self._tell = tell
        self._max_wait_s = MAX_WAIT_S if max_wait_s is None else max_wait_s
        self._watch: _Watch | None = None

    def allow(self, connection: PostgresConnection) -> None:
        """Let the session wait so long for a lock behind which nobody queues. Raises psycopg.Error."""
        connection.raw.execute(f"SET lock_timeout = {round(self._max_wait_s * 1000)}".encode())

    @contextmanager
    def announced(self, connection: PostgresConnection) -> Iterator[None]:
        """Say who holds the locks that the session waits for in the block.

        Raises CatalogueUnavailable with their names instead of LockNotAvailable.
        """
        with self._watched(connection) as watch:
            try:
                yield
            except LockNotAvailable as error:
                raise watch.fault() from error

    def attempt(self, connection: PostgresConnection, make: Callable[[], T]) -> T:
        """What `make` returns. It is called again while it can't get its locks, for which it asks but briefly.

        Each call changes everything or nothing. Raises CatalogueUnavailable with the names of those who hold them.
        """
        until_s = float("inf")
        with self._watched(connection) as watch:
            while True:
                try:
                    return make()
                except _GIVEN_UP as error:
                    until_s = min(until_s, time.monotonic() + self._max_wait_s)
                    if time.monotonic() >= until_s:
                        raise watch.fault() from error
                    watch.asks_again = True
                sleep(PAUSE_S)

    @contextmanager
    def _watched(self, connection: PostgresConnection) -> Iterator["_Watch"]:
        if self._watch is not None:
            yield self._watch
            return
        [[pid]] = connection.execute("SELECT pg_backend_pid()").fetchall()  # not a pooler's
        self._watch = watch = _Watch(self._url, pid, self._tell, self._max_wait_s)
        watch.start()
        try:
            yield watch
        finally:
            self._watch = None
            watch.end()


class _Watch(threading.Thread):
    """Looks whom the session `pid` waits for, and says so. What `asks_again` waits all the time, with pauses."""

    def __init__(self, url: str, pid: int, tell: Tell, max_wait_s: float) -> None:
        super().__init__(name="lock-watch", daemon=True)
        self._url = url
        self._pid = pid
        self._tell = tell
        self._max_wait_s = max_wait_s
        self.asks_again = False
        self._ended = threading.Event()
        self._holders: Sequence[LockHolder] = ()
        self._waiting_since_s: float | None = None
        self._said: set[int] = set()
        self._said_at_s = float("-inf")

    def run(self) -> None:
        while not self._ended.wait(SAID_AFTER_S):
            try:
                with closing(Connector(self._url).connect()) as connection:
                    while not self._ended.wait(LOOK_EVERY_S):
                        self._look(connection)
            except (psycopg.OperationalError, CatalogueUnavailable):
                continue  # the session itself finds out what is wrong, or only the names are missing

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    def fault(self) -> CatalogueUnavailable:
        """What is raised when it has waited too long."""
        pids = [holder.pid for holder in self._holders if holder.pid]
        ending = f", or end it with `SELECT pg_terminate_backend({pids[0]})`" if len(pids) == 1 else ""
        return CatalogueUnavailable(
            f"The catalogue's tables are in use: {self._named()}. This waited for {_duration(self._max_wait_s)}. "
            f"Wait until that has ended{ending}; then run the command again. It continues with what is there."
        )

    def _look(self, connection: PostgresConnection) -> None:
        if rows := connection.raw.execute(_HOLDERS.encode(), {"pid": self._pid}).fetchall():
            self._holders = [LockHolder(*row) for row in rows]
            self._say_if_due(
                {holder.pid for holder in self._holders},
                f"Waiting for the catalogue's tables, which are in use: {self._named()}. This continues by itself once "
                f"that has ended, and gives up after {_duration(self._max_wait_s)}.",
            )
        elif connection.raw.execute(_AWAITS_STANDBY.encode(), {"pid": self._pid}).fetchall() == [(True,)]:
            self._say_if_due(
                {_STANDBY},
                "Waiting until a standby confirms a change. Start it, or take it out of synchronous_standby_names and "
                "reload; this continues by itself then.",
            )
        else:
            self._waiting_since_s = None

    def _say_if_due(self, pids: set[int], sentence: str) -> None:
        now_s = time.monotonic()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        if not self.asks_again and now_s - self._waiting_since_s < SAID_AFTER_S:
            return
        is_due = now_s - self._said_at_s >= SAID_EVERY_S
        if is_due or not pids <= self._said:
            self._said = pids if is_due else self._said | pids
            self._said_at_s = now_s if is_due else self._said_at_s
            self._tell(sentence)

    def _named(self) -> str:
        names = [str(holder) for holder in self._holders[:MAX_HOLDERS]]
        more = len(self._holders) - len(names)
        return "; ".join(names + [f"{more} more"] * bool(more)) or "another session has locked them"


def _duration(seconds: float) -> str:
    """In words, rounded down; seconds up to two minutes."""
    if seconds < 120:
        return f"{int(seconds)} s"
    return f"{int(seconds // 60)} min" if seconds < 7200 else f"{int(seconds // 3600)} h"


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"
