"""The one writing thread: it owns the writing connection, groups what waits into one commit, and checkpoints.

Each operation runs in a savepoint of its own, so that one that raises fails alone. Nobody is told of success before the
commit, which at `synchronous=FULL` is on disk.
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

from appliance.catalogue.checkpoints import Checkpoints
from appliance.catalogue.connections import open_writer
from appliance.catalogue.faults import named
from appliance.catalogue.outbox import PurgeOutbox
from appliance.catalogue.rows import Row
from appliance.domain.errors import CatalogueUnavailable, Stopping

T = TypeVar("T")
MOST_GROUPED = 1000  # operations in one commit; bounds how long the first of them waits
IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """An operation's answer for its caller, and what became of the rows that it touched (None: look again)."""

    value: T
    rows: Mapping[str, Row | None] = field(default_factory=dict)
    stale: Mapping[str, int] = field(default_factory=dict)
    """Tags that shared caches may hold outdated answers under, and how often they are to be told so."""


Operation = Callable[[sqlite3.Connection], Outcome[T]]


@dataclass(slots=True)
class _Job:
    operation: Operation[Any]
    future: asyncio.Future[Any]
    outcome: Outcome[Any] | None = None
    error: Exception | None = None


class Writer:
    """Takes operations from the event loop that started it. `settle` is called on that loop before any caller wakes,
    and what an operation leaves stale goes into `outbox`, where there is one, as its last part.
    """

    def __init__(
        self,
        path: Path,
        settle: Callable[[Outcome[Any]], None],
        outbox: PurgeOutbox | None = None,
    ) -> None:
        self._path = path
        self._settle = settle
        self._outbox = outbox
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.commits = 0
        self.operations = 0
        self.fault: str | None = None
        """What the last commit failed of, in words; None when it succeeded."""

    async def start(self) -> None:
        """Open, or make, the file and bring its schema up. Raises the named errors of opening."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="catalogue-writer", daemon=True)
        self._thread.start()
        await opened

    async def run(self, operation: Operation[T]) -> T:
        """The operation's value, once it is durable. Raises what the operation raised, DiskFull, Stopping and its kin.

        Cancelling the caller does not take the operation back.
        """
        if self._loop is None or self._stopping:
            raise Stopping
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(operation, future))
        return await future

    async def stop(self) -> None:
        """Everything handed over is committed, and the file closed, when this returns."""
        self._stopping = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._open()
        except Exception as error:
            self._tell(_refuse, opened, _why_not_opened(error))
            return
        self._tell(opened.set_result, None)
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
        """All that waits, at least one unless the time is out; and whether the end was reached."""
        jobs: list[_Job] = []
        try:
            job = self._jobs.get(timeout=timeout_s)
            while job is not None:
                jobs.append(job)
                if len(jobs) == MOST_GROUPED:
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
            self.fault = named(error).detail
            for job in jobs:
                job.error = job.error or named(error)
        self._tell(self._wake, jobs)
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

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            assert self._loop is not None
            self._loop.call_soon_threadsafe(callback, *args)


def _attempt(
    connection: sqlite3.Connection,
    job: _Job,
    outbox: PurgeOutbox | None,
) -> None:
    connection.execute("SAVEPOINT operation")
    try:
        job.outcome = job.operation(connection)
        if outbox is not None and job.outcome.stale:
            outbox.enqueue(connection, job.outcome.stale)
    except Exception as error:
        job.error = named(error) if isinstance(error, sqlite3.Error) else error
        if not connection.in_transaction:  # a fault of the disk took the whole transaction with it
            if isinstance(error, sqlite3.Error):
                raise
            raise sqlite3.OperationalError("an operation ended the transaction") from error
        connection.execute("ROLLBACK TO operation")
    connection.execute("RELEASE operation")


def _refuse(opened: asyncio.Future[None], error: Exception) -> None:
    if not opened.done():
        opened.set_exception(error)


def _why_not_opened(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error):
        return named(error)
    if isinstance(error, OSError):
        return CatalogueUnavailable(
            f"The folder of the catalogue can't be made ({error.strerror}). Check data_dir and who may write there."
        )
    return error
