"""The one writing thread: it owns the writing connection, commits waiting operations in groups, and checkpoints.

Each operation runs in a savepoint of its own, so that one that raises fails alone. No caller hears of success before
the commit, which is on disk with `synchronous=FULL`.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from appliance.catalogue.sqlite.checkpoints import Checkpoints
from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.faults import translate_error
from appliance.catalogue.sqlite.outbox import PurgeWriter
from appliance.catalogue.sqlite.rows import Row
from appliance.domain.errors import CatalogueUnavailable, Stopping

T = TypeVar("T")
MAX_GROUP = 1000  # operations in one commit; bounds how long the first of them waits
IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """An operation's result for its caller, and what became of the rows that it touched (None: read them again)."""

    value: T
    rows: Mapping[str, Row | None] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    """Tags under which shared caches may hold outdated responses, and in how many rounds to purge each."""


Operation = Callable[[sqlite3.Connection], Outcome[T]]


@dataclass(slots=True)
class _Job:
    operation: Operation[Any]
    future: asyncio.Future[Any]
    outcome: Outcome[Any] | None = None
    error: Exception | None = None


class Writer:
    """Takes operations from the event loop that started it.

    `settle` is called on that loop with each committed outcome before any caller wakes. What an operation leaves stale
    goes into `outbox`, if there is one, as the operation's last part.
    """

    def __init__(
        self,
        path: Path,
        settle: Callable[[Outcome[Any]], None],
        outbox: PurgeWriter | None = None,
    ) -> None:
        self._path = path
        self._settle = settle
        self._outbox = outbox
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.commits = 0
        """Commits so far; under load fewer than `operations`."""
        self.operations = 0
        self.fault: str | None = None
        """Why the last commit failed, in words; None if it succeeded."""

    async def start(self) -> None:
        """Open the file, create it if there is none, and migrate it. Raises as `Catalogue.start`."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, args=(opened,), name="catalogue-writer", daemon=True)
        self._thread.start()
        await opened

    async def run(self, operation: Operation[T]) -> T:
        """The operation's value, once it is durable. Raises what the operation raises, DiskFull, Stopping and so on.

        Cancelling the caller does not undo the operation.
        """
        if self._loop is None or self._stopping:
            raise Stopping
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(operation, future))
        return await future

    async def stop(self) -> None:
        """Commit everything that was handed over, and close the file."""
        self._stopping = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _work(self, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._open()
        except Exception as error:
            self._call_on_loop(_fail, opened, _name_opening_fault(error))
            return
        self._call_on_loop(opened.set_result, None)
        checkpoints = Checkpoints(connection, self._path)
        ended = False
        while not ended:
            jobs, ended = self._take(IDLE_S if checkpoints.wanted else None)
            if not jobs:
                checkpoints.when_idle()
            elif self._commit(connection, jobs):
                checkpoints.after_commit()
            else:
                checkpoints.after_fault()
        checkpoints.last()
        connection.close()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return open_writer(self._path)

    def _take(self, timeout_s: float | None) -> tuple[list[_Job], bool]:
        """All jobs that wait, at least one unless the time is out; and whether the end was reached."""
        jobs: list[_Job] = []
        try:
            job = self._jobs.get(timeout=timeout_s)
            while job is not None:
                jobs.append(job)
                if len(jobs) == MAX_GROUP:
                    return jobs, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _commit(self, connection: sqlite3.Connection, jobs: list[_Job]) -> bool:
        committed = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _attempt(connection, job, self._outbox)
            connection.execute("COMMIT")
            committed = True
            self.commits += 1
            self.operations += len(jobs)
            self.fault = None
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            self.fault = translate_error(error).detail
            for job in jobs:
                job.error = job.error or translate_error(error)
        self._call_on_loop(self._wake, jobs)
        return committed

    def _wake(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if job.error is None and job.outcome is not None:
                self._settle(job.outcome)
        for job in jobs:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.outcome.value if job.outcome else None)

    def _call_on_loop(self, callback: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            assert self._loop is not None
            self._loop.call_soon_threadsafe(callback, *args)


def _attempt(connection: sqlite3.Connection, job: _Job, outbox: PurgeWriter | None) -> None:
    connection.execute("SAVEPOINT operation")
    try:
        job.outcome = job.operation(connection)
        if outbox is not None and job.outcome.stale:
            outbox.enqueue(connection, job.outcome.stale)
    except Exception as error:
        job.error = translate_error(error) if isinstance(error, sqlite3.Error) else error
        if not connection.in_transaction:  # a fault of the disk took the whole transaction with it
            if isinstance(error, sqlite3.Error):
                raise
            raise sqlite3.OperationalError("an operation ended the transaction") from error
        connection.execute("ROLLBACK TO operation")
    connection.execute("RELEASE operation")


def _fail(opened: asyncio.Future[None], error: Exception) -> None:
    if not opened.done():
        opened.set_exception(error)


def _name_opening_fault(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error):
        return translate_error(error)
    if isinstance(error, OSError):
        return CatalogueUnavailable(
            f"The folder of the catalogue can't be made ({error.strerror}). Check data_dir and who may write there."
        )
    return error
