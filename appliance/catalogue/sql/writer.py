"""The one writing thread of a process: it takes operations, and has them committed in groups.

No caller hears of success before the commit of its group, which is durable.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outbox import PurgeWriter
from appliance.catalogue.sql.outcome import Operation, Outcome
from appliance.domain.errors import Stopping

T = TypeVar("T")
MAX_GROUP = 1000  # operations in one commit; bounds how long the first of them waits


@dataclass(slots=True)
class Job:
    """An operation and its caller, who gets either the outcome or the error."""

    operation: Operation[Any]
    future: asyncio.Future[Any]
    outcome: Outcome[Any] | None = None
    error: Exception | None = None


class Session(Protocol):
    """The writing thread's own connection to the database. Only that thread calls it."""

    @property
    def idle_s(self) -> float | None:
        """After so long without operations it wants `rest` to be called; None if it wants nothing."""

    def open(self) -> None:
        """Connect, create the database if there is none, and migrate it. Raises as `Catalogue.start`."""

    def commit(self, jobs: Sequence[Job]) -> str | None:
        """Perform the jobs in one transaction, so that one that fails does so alone.

        Each has an outcome or an error then. Returns why nothing could be saved, in words; None if it was.
        """

    def tidy(self, *, committed: bool) -> None:
        """What is left to do once the callers of a group know."""

    def rest(self, fault: str | None) -> str | None:
        """What is done while there is nothing to write. Returns what is wrong now, of which `fault` was known."""

    def close(self) -> None:
        """Close the connection."""


class Writer:
    """Takes operations from the event loop that started it.

    `settle` is called on that loop with each committed outcome before any caller wakes. What an operation leaves stale
    goes into `outbox`, if there is one, as the operation's last part.
    """

    def __init__(
        self, session: Session, settle: Callable[[Outcome[Any]], None], outbox: PurgeWriter | None = None
    ) -> None:
        self._session = session
        self._settle = settle
        self._outbox = outbox
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.commits = 0
        """Commits so far; under load fewer than `operations`."""
        self.operations = 0
        self.fault: str | None = None
        """Why the last commit failed, or why the next one would, in words; None if nothing is wrong."""

    async def start(self) -> None:
        """Open the database. Raises as `Catalogue.start`."""
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
        self._jobs.put(Job(self._with_purges(operation), future))
        return await future

    def _with_purges(self, operation: Operation[T]) -> Operation[T]:
        outbox = self._outbox
        if outbox is None:
            return operation

        def perform(connection: Connection) -> Outcome[T]:
            outcome = operation(connection)
            outbox.enqueue(connection, outcome.stale)
            return outcome

        return perform

    async def stop(self) -> None:
        """Commit everything that was handed over, and close the database."""
        self._stopping = True
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _work(self, opened: asyncio.Future[None]) -> None:
        try:
            self._session.open()
        except Exception as error:
            self._call_on_loop(_fail, opened, error)
            return
        self._call_on_loop(opened.set_result, None)
        ended = False
        while not ended:
            jobs, ended = self._take(self._session.idle_s)
            if jobs:
                self._session.tidy(committed=self._commit(jobs))
            else:
                self.fault = self._session.rest(self.fault)
        self._session.close()

    def _take(self, timeout_s: float | None) -> tuple[list[Job], bool]:
        """All jobs that wait, at least one unless the time is out; and whether the end was reached."""
        jobs: list[Job] = []
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

    def _commit(self, jobs: list[Job]) -> bool:
        self.fault = self._session.commit(jobs)
        if self.fault is None:
            self.commits += 1
            self.operations += len(jobs)
        self._call_on_loop(self._wake, jobs)
        return self.fault is None

    def _wake(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.outcome is not None:
                # What became of a change whose commit failed is not known for certain: its rows are read again.
                self._settle(job.outcome if job.error is None else Outcome(None, dict.fromkeys(job.outcome.rows)))
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


def _fail(opened: asyncio.Future[None], error: Exception) -> None:
    if not opened.done():
        opened.set_exception(error)
