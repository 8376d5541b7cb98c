"""The connection that writes: it owns the catalogue, and commits groups of operations, each in a savepoint of its own.

Transactions are serializable, so an operation may read a row, decide, and write it while others are connected; a
transaction that the database refuses for that is run again, and so is one whose connection was lost before its commit.
Where the connection is lost during the commit, a note says what became of it.
"""

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Sequence

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.pq import TransactionStatus

from appliance.catalogue.postgres.connections import Connector, PostgresConnection
from appliance.catalogue.postgres.faults import REPEATABLE, said, translate_error
from appliance.catalogue.postgres.migrations import migrate, require_fit
from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.notes import get_note
from appliance.catalogue.sql.writer import Job
from appliance.domain.errors import ApplianceError, CatalogueUnavailable

log = logging.getLogger(__name__)

ATTEMPTS = 5
PAUSE_S = 0.25
LOOK_EVERY_S = 5.0
LAST_COMMIT = "last-commit"
"""The note that each transaction leaves."""
OWNED_WITHIN_S = 10.0
"""The session of a server that was killed ends a moment after it."""
RESOLVED_WITHIN_S = 40.0
"""How long a lost commit's callers wait to hear what became of it: longer than a restart takes, and than the server
takes to notice that the lost connection is gone."""
_OWN = "SELECT pg_try_advisory_lock(1095780675, hashtext(current_schema()))"  # "APIC", as in a SQLite file's header


class PostgresSession:
    """A `Session` with the database that `connector` connects to."""

    def __init__(self, connector: Connector, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connector = connector
        self._sleep = sleep
        self._connection: PostgresConnection | None = None

    @property
    def idle_s(self) -> float | None:
        return LOOK_EVERY_S

    def open(self) -> None:
        try:
            connection = self._connector.connect()
            try:
                require_fit(connection)
                if not own_soon(connection, self._sleep):
                    raise CatalogueUnavailable(
                        "Another server uses the catalogue of catalogue.url. Stop it first; only one may use it."
                    )
                migrate(connection)
            except BaseException:
                connection.close()
                raise
        except psycopg.ProgrammingError as error:
            raise CatalogueUnavailable(
                f"catalogue.url is not accepted, or its user may not make tables ({type(error).__name__})."
            ) from error
        except psycopg.Error as error:
            raise CatalogueUnavailable(f"The catalogue's database can't be opened: {said(error)}") from error
        self._connection = connection

    def commit(self, jobs: Sequence[Job]) -> str | None:
        try:
            self._commit(jobs)
        except (psycopg.Error, ApplianceError) as error:
            if isinstance(error, psycopg.Error):
                log.warning("the catalogue's database failed: %s", said(error))
            self._disconnect()
            for job in jobs:
                job.error = job.error or _named(error)
            return _named(error).detail
        return None

    def tidy(self, *, committed: bool) -> None:
        """There is nothing to do: the database does it."""

    def rest(self, fault: str | None) -> str | None:
        """Look whether the database is there. After its restart, the catalogue is owned again without a change."""
        try:
            self._connected().raw.execute("SELECT 1")
        except (psycopg.Error, ApplianceError) as error:
            self._disconnect()
            return _named(error).detail
        return None

    def close(self) -> None:
        self._disconnect()

    def _commit(self, jobs: Sequence[Job]) -> None:
        """Raises psycopg.Error, CatalogueUnavailable."""
        is_new = self._connection is None
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            connection = self._connected()
            try:
                mark = _perform(connection, jobs)
            except REPEATABLE:
                if is_last:
                    raise
                connection.raw.execute("ROLLBACK")
            except psycopg.OperationalError:
                if is_new or is_last or not connection.is_lost:
                    raise
                self._disconnect()
                is_new = True
            else:
                if self._finish(connection, mark):
                    return
        raise CatalogueUnavailable("Others change the catalogue at the same time. Try again in a moment.")

    def _finish(self, connection: PostgresConnection, mark: str) -> bool:
        """Commit. False if the database refused, so that the transaction has to be run once more."""
        try:
            connection.raw.execute("COMMIT")
        except REPEATABLE:
            return False
        except psycopg.OperationalError:
            if not connection.is_lost:
                raise
            self._disconnect()
            return self._was_committed(mark)
        return True

    def _was_committed(self, mark: str) -> bool:
        """What became of a transaction whose commit got no answer. Raises CatalogueUnavailable if nobody can say.

        Once the catalogue is owned again, the session that was lost has ended, and its transaction with it.
        """
        until = time.monotonic() + RESOLVED_WITHIN_S
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.Error, CatalogueUnavailable):
                return get_note(self._connected(), LAST_COMMIT) == mark
            self._sleep(PAUSE_S)
        raise CatalogueUnavailable("The catalogue's database was lost while it saved. Look whether it did, and repeat.")

    def _connected(self) -> PostgresConnection:
        """The connection, opened again if it was lost. Raises psycopg.Error, CatalogueUnavailable."""
        if self._connection is not None and self._connection.is_lost:
            self._disconnect()
        if self._connection is None:
            connection = self._connector.connect()
            try:
                if not own(connection):
                    raise CatalogueUnavailable("Another server uses the catalogue now. Only one may.")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def own(connection: PostgresConnection) -> bool:
    """Make this session the catalogue's only writer, until it ends. False if another is."""
    row = connection.raw.execute(_OWN).fetchone()
    return bool(row and row[0])


def own_soon(connection: PostgresConnection, sleep: Callable[[float], None] = time.sleep) -> bool:
    """`own`, with patience for the session of a process that was killed a moment ago."""
    until = time.monotonic() + OWNED_WITHIN_S
    while not (owned := own(connection)) and time.monotonic() < until:
        sleep(PAUSE_S)
    return owned


def _perform(connection: PostgresConnection, jobs: Sequence[Job]) -> str:
    """Everything up to the commit. Returns the mark by which the transaction is known afterwards."""
    connection.raw.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    for job in jobs:
        _attempt(connection, job)
    mark = uuid.uuid4().hex
    connection.execute(sql.SET_NOTE, {"name": LAST_COMMIT, "value": mark})
    return mark


def _attempt(connection: PostgresConnection, job: Job) -> None:
    """Raises psycopg.Error if the whole transaction has failed."""
    job.outcome, job.error = None, None
    connection.raw.execute("SAVEPOINT operation")
    try:
        job.outcome = job.operation(connection)
    except Exception as error:
        is_of_database = isinstance(error, psycopg.Error)
        if isinstance(error, (*REPEATABLE, psycopg.OperationalError, ReadOnlySqlTransaction)):
            raise
        if connection.raw.info.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            raise psycopg.OperationalError("an operation ended the transaction") from error
        job.error = _named(error) if is_of_database else error
        if is_of_database:
            log.error("the catalogue's database refuses a change", exc_info=error)
        connection.raw.execute("ROLLBACK TO operation")
    connection.raw.execute("RELEASE operation")


def _named(error: Exception) -> ApplianceError:
    if isinstance(error, psycopg.Error):
        return translate_error(error)
    assert isinstance(error, ApplianceError)
    return CatalogueUnavailable(error.detail)
