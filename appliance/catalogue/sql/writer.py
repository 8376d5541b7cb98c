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
class PendingWrite:
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

    def commit(self, writes: Sequence[PendingWrite]) -> str | None:
        """Perform the writes in one transaction, so that one that fails does so alone.

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
        self._pending: queue.SimpleQueue[PendingWrite | None] = queue.SimpleQueue()
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
        self._pending.put(PendingWrite(self._with_purges(operation), future))
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
            self._pending.put(None)
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
            writes, ended = self._take(self._session.idle_s)
            if writes:
                self._session.tidy(committed=self._commit(writes))
            else:
                self.fault = self._session.rest(self.fault)
        self._session.close()

    def _take(self, timeout_s: float | None) -> tuple[list[PendingWrite], bool]:
        """All writes that wait, at least one unless the time is out; and whether the end was reached."""
        writes: list[PendingWrite] = []
        try:
            write = self._pending.get(timeout=timeout_s)
            while write is not None:
                writes.append(write)
                if len(writes) == MAX_GROUP:
                    return writes, False
                write = self._pending.get_nowait()
        except queue.Empty:
            return writes, False
        return writes, True

    def _commit(self, writes: list[PendingWrite]) -> bool:
        self.fault = self._session.commit(writes)
        if self.fault is None:
            self.commits += 1
            self.operations += len(writes)
        self._call_on_loop(self._wake, writes)
        return self.fault is None

    def _wake(self, writes: list[PendingWrite]) -> None:
        for write in writes:
            if write.outcome is not None:
                # What became of a change whose commit failed is not known for certain: its rows are read again.
                self._settle(write.outcome if write.error is None else Outcome(None, dict.fromkeys(write.outcome.rows)))
        for write in writes:
            if write.future.done():
                continue
            if write.error is not None:
                write.future.set_exception(write.error)
            else:
                write.future.set_result(write.outcome.value if write.outcome else None)

    def _call_on_loop(self, callback: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            assert self._loop is not None
            self._loop.call_soon_threadsafe(callback, *args)


def _fail(opened: asyncio.Future[None], error: Exception) -> None:
    if not opened.done():
        opened.set_exception(error)
