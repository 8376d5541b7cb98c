"""The connection that writes: it commits groups of operations, each in a savepoint of its own.

Transactions are serializable, so an operation may read a row, decide, and write it while others are connected; a
transaction that the database refuses for that is run again, and so is one whose connection was lost before its commit.
Where the connection is lost during the commit, a note says what became of it.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.pq import TransactionStatus

from appliance.catalogue.postgres.connections import STATEMENT_TIMEOUT_S, Connector, PostgresConnection
from appliance.catalogue.postgres.faults import REPEATABLE, TIMEOUTS, TOO_SLOW, said, translate_error
from appliance.catalogue.postgres.migrations import migrate, require_fit
from appliance.catalogue.postgres.ownership import IN_TIME, IN_TURN, Ownership
from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.notes import get_note
from appliance.catalogue.sql.writer import PendingWrite
from appliance.domain.errors import ApplianceError, CatalogueUnavailable, NodeSchemaDiffers

log = logging.getLogger(__name__)

BEGIN = b"BEGIN ISOLATION LEVEL SERIALIZABLE"
ATTEMPTS = 5
PAUSE_S = 0.25
LOOK_EVERY_S = 5.0
LAST_COMMIT = "last-commit"
"""The note that each transaction leaves. A node has one of its own: in one row, nodes would disturb each other."""
OWNED_WITHIN_S = 10.0
"""The session of a server that was killed ends a moment after it."""
MAX_TURN_S = 1.0
"""After so long a node leaves the rest of its group to its next turn, so that the others wait no longer for it."""
MAX_TIMEOUTS = 2
"""After so many changes of a group that took too long, the rest isn't tried: its callers would wait no longer."""
ANSWERS_WITHIN_S: float = STATEMENT_TIMEOUT_S
"""The database ends no commit by itself: it waits for its synchronous standby, however long that is away."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """How many writes a transaction has, and the mark by which it is known afterwards. `is_slow`: the last one failed
    because it took too long.
    """

    mark: str
    count: int
    is_slow: bool


class PostgresSession:
    """A `Session` with the database that `connector` connects to, of the node with this name; None: it is alone."""

    def __init__(
        self, connector: Connector, node: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connector = connector
        self._ownership = Ownership(node)
        self._mark = LAST_COMMIT if node is None else f"{LAST_COMMIT}/{node}"
        self._sleep = sleep
        self._connection: PostgresConnection | None = None
        self._is_abandoned = threading.Event()
        self._work: str | None = None

    @property
    def idle_s(self) -> float | None:
        return LOOK_EVERY_S

    @property
    def answers_within_s(self) -> float | None:
        return ANSWERS_WITHIN_S

    @property
    def waits_for(self) -> str | None:
        return self._work

    def open(self) -> None:
        try:
            connection = self._connector.connect()
            try:
                require_fit(connection)
                wait_for_claim(self._ownership.claim, connection, self._sleep)
                wait_for_claim(self._ownership.claim_schema, connection, self._sleep)
                wait_for_claim(self._migrate, connection, self._sleep)
                self._ownership.release_schema(connection)
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

    def _migrate(self, connection: PostgresConnection) -> ApplianceError | None:
        """Bring the schema up to this release. Why that can't be done while other nodes are connected, otherwise."""
        try:
            migrate(connection, self._ownership, report=self._report)
        except NodeSchemaDiffers as fault:
            return fault
        return None

    def _report(self, work: str | None) -> None:
        self._work = work

    def commit(self, writes: Sequence[PendingWrite]) -> str | None:
        timeouts = 0
        try:
            while writes and timeouts < MAX_TIMEOUTS:
                turn = self._commit(writes)
                writes = writes[turn.count :]
                timeouts += turn.is_slow
        except (psycopg.Error, ApplianceError) as error:
            if isinstance(error, psycopg.Error):
                log.warning("the catalogue's database failed: %s", said(error))
            self._disconnect()
            for write in writes:
                write.error = write.error or _named(error)
            return _named(error).detail
        for write in writes:
            write.error = CatalogueUnavailable(TOO_SLOW)
        return None

    def tidy(self, *, committed: bool) -> None:
        """There is nothing to do: the database does it."""

    def rest(self, fault: str | None) -> str | None:
        """Look whether the database is there, and after a fault whether it confirms a change.

        After its restart, the catalogue is claimed again without a change.
        """
        try:
            if fault is None:
                self._connected().raw.execute("SELECT 1")
            else:
                self._commit(())
        except (psycopg.Error, ApplianceError) as error:
            self._disconnect()
            return _named(error).detail
        return None

    def close(self) -> None:
        self._disconnect()

    def abandon(self) -> None:
        self._is_abandoned.set()

    def _commit(self, writes: Sequence[PendingWrite]) -> _Turn:
        """Commit as many of the writes as a turn has room for.

        Raises psycopg.Error, CatalogueUnavailable.
        """
        is_new = self._connection is None
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            connection = self._connected()
            try:
                turn = self._perform(connection, writes)
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
                if self._finish(connection, turn.mark):
                    return turn
        raise CatalogueUnavailable("Others change the catalogue at the same time. Try again in a moment.")

    def _perform(self, connection: PostgresConnection, writes: Sequence[PendingWrite]) -> _Turn:
        """Everything up to the commit. A write that takes too long is the last, so that the others are soon safe."""
        is_alone = self._ownership.node is None
        connection.raw.execute(BEGIN + (IN_TIME if is_alone else IN_TURN), prepare=False)
        count, is_slow, began = 0, False, time.monotonic()
        for write in writes:
            is_slow = not _attempt(connection, write)
            count += 1
            if is_slow or (not is_alone and time.monotonic() - began > MAX_TURN_S):
                break
        mark = uuid.uuid4().hex
        connection.execute(sql.SET_NOTE, {"name": self._mark, "value": mark})
        return _Turn(mark, count, is_slow)

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
        """What became of a transaction whose commit got no answer. It asks until it knows.

        Once the catalogue is claimed again, the session that was lost has ended, and its transaction with it. It may
        have ended while it waited for a synchronous standby: then the change can be seen, and a failover would lose it.
        So one commit more waits for that standby, which gets them in their order.
        """
        while not self._is_abandoned.is_set():
            with contextlib.suppress(psycopg.Error, ApplianceError):
                connection = self._connected()
                is_committed = get_note(connection, self._mark) == mark
                if is_committed:
                    connection.execute(sql.SET_NOTE, {"name": self._mark, "value": mark})
                return is_committed
            self._sleep(PAUSE_S)
        raise SystemExit  # ends this thread: its callers never learn whether the change was saved

    def _connected(self) -> PostgresConnection:
        """The connection, opened again if it was lost. Raises psycopg.Error, CatalogueUnavailable."""
        if self._connection is not None and self._connection.is_lost:
            self._disconnect()
        if self._connection is None:
            connection = self._connector.connect()
            try:
                if fault := self._ownership.claim(connection):
                    raise fault
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def wait_for_claim(
    claim: Callable[[PostgresConnection], ApplianceError | None],
    connection: PostgresConnection,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises why it can't be claimed after `OWNED_WITHIN_S`."""
    until = time.monotonic() + OWNED_WITHIN_S
    while fault := claim(connection):
        if time.monotonic() > until:
            raise fault
        sleep(PAUSE_S)


def _attempt(connection: PostgresConnection, write: PendingWrite) -> bool:
    """Whether it ended in time. Raises psycopg.Error if the whole transaction has failed."""
    write.outcome, write.error, is_timeout = None, None, False
    connection.raw.execute("SAVEPOINT operation")
    try:
        write.outcome = write.operation(connection)
    except Exception as error:
        is_of_database = isinstance(error, psycopg.Error)
        is_timeout = isinstance(error, TIMEOUTS) and not connection.is_lost
        if isinstance(error, (*REPEATABLE, psycopg.OperationalError, ReadOnlySqlTransaction)) and not is_timeout:
            raise
        if connection.raw.info.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            raise psycopg.OperationalError("an operation ended the transaction") from error
        write.error = _named(error) if is_of_database else error
        if is_of_database:
            log.error("the catalogue's database refuses a change", exc_info=error)
        connection.raw.execute("ROLLBACK TO operation")
    connection.raw.execute("RELEASE operation")
    return not is_timeout


def _named(error: Exception) -> ApplianceError:
    if isinstance(error, psycopg.Error):
        return translate_error(error)
    assert isinstance(error, ApplianceError)
    return CatalogueUnavailable(error.detail)
