"""The one writing thread of a process: it takes operations, and has them committed in groups.

No caller hears of success before the commit of its group, which is durable.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outbox import PurgeWriter
from appliance.catalogue.sql.outcome import Operation, Outcome
from appliance.domain.errors import CatalogueUnavailable, Stopping

T = TypeVar("T")
MAX_GROUP = 1000  # operations in one commit; bounds how long the first of them waits
STALLED = "The catalogue's database doesn't confirm changes. It may wait for a standby that is away."


@dataclass(slots=True)
class PendingWrite:
    """An operation and its caller, who gets either the outcome or the error."""

    operation: Operation[Any]
    future: asyncio.Future[Any]
    outcome: Outcome[Any] | None = None
    error: Exception | None = None
    has_begun: bool = False
    is_withdrawn: bool = False


class Session(Protocol):
    """The writing thread's own connection to the database. Only that thread calls it."""

    @property
    def idle_s(self) -> float | None:
        """After so long without operations it wants `rest` to be called; None if it wants nothing."""

    @property
    def answers_within_s(self) -> float | None:
        """How long callers wait for a change to be saved; None if as long as it takes."""

    @property
    def waits_for(self) -> str | None:
        """What takes long in `open`, in words; None if nothing does. Any thread asks."""

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

    def abandon(self) -> None:
        """Connect no more, even if it isn't known yet what became of a commit. Any thread calls it, after the end."""


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
        self._beginning = threading.Lock()
        self._saving_since: float | None = None
        self._fault: str | None = None
        self.commits = 0
        """Commits so far; under load fewer than `operations`."""
        self.operations = 0

    @property
    def fault(self) -> str | None:
        """Why the last commit failed, or why the next one would, in words; None if nothing is wrong."""
        return STALLED if self._is_stalled else self._session.waits_for or self._fault

    @property
    def _is_stalled(self) -> bool:
        """Whether a commit has been without an answer for as long as callers wait."""
        since, within_s = self._saving_since, self._session.answers_within_s
        return since is not None and within_s is not None and time.monotonic() - since > within_s

    def require_answering(self) -> None:
        """Raises CatalogueUnavailable while nothing can be saved because a commit has no answer for long."""
        if self._is_stalled:
            raise CatalogueUnavailable(f"{STALLED} Try again in a moment.")

    async def start(self) -> None:
        """Open the database. Raises as `Catalogue.start`."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, args=(opened,), name="catalogue-writer", daemon=True)
        self._thread.start()
        await opened

    async def run(self, operation: Operation[T]) -> T:
        """The operation's value, once it is durable. Raises what the operation raises, DiskFull, Stopping and so on.

        Raises CatalogueUnavailable when that takes too long, with an `answer` if the operation may still be saved.
        Cancelling the caller does not undo the operation.
        """
        if self._loop is None or self._stopping:
            raise Stopping
        self.require_answering()
        future: asyncio.Future[T] = self._loop.create_future()
        write = PendingWrite(self._with_purges(operation), future)
        self._pending.put(write)
        try:
            async with asyncio.timeout(self._session.answers_within_s):
                return await asyncio.shield(future)
        except TimeoutError:
            raise self._unconfirmed(write) from None

    def _unconfirmed(self, write: PendingWrite) -> CatalogueUnavailable:
        """Why the write's caller waits no longer. A write that hasn't begun yet never does."""
        with self._beginning:
            write.is_withdrawn = not write.has_begun
        if write.is_withdrawn:
            return CatalogueUnavailable(f"{STALLED} Try again in a moment.")
        write.future.add_done_callback(_look_at)
        fault = CatalogueUnavailable(f"{STALLED} Look whether this change was saved before you repeat it.")
        fault.answer = write.future
        return fault

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
        """Commit everything that was handed over, and close the database, unless that doesn't answer in time."""
        self._stopping = True
        if self._thread is not None:
            self._pending.put(None)
            await asyncio.to_thread(self._thread.join, self._session.answers_within_s)
            self._session.abandon()
            self._thread = None

    def _work(self, opened: asyncio.Future[None]) -> None:
        try:
            self._session.open()
        except Exception as error:
            self._call_on_loop(_fail, opened, error)
            return
        self._call_on_loop(_succeed, opened)
        ended = False
        while not ended:
            taken, ended = self._take(self._session.idle_s)
            self._saving_since = time.monotonic()
            if writes := self._begin(taken):
                self._session.tidy(committed=self._commit(writes))
            else:
                self._fault = self._session.rest(self._fault)
            self._saving_since = None
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

    def _begin(self, taken: Sequence[PendingWrite]) -> list[PendingWrite]:
        """Those whose callers still wait."""
        with self._beginning:
            writes = [write for write in taken if not write.is_withdrawn]
            for write in writes:
                write.has_begun = True
        return writes

    def _commit(self, writes: Sequence[PendingWrite]) -> bool:
        fault = self._fault = self._session.commit(writes)
        if fault is None:
            self.commits += 1
            self.operations += len(writes)
        self._call_on_loop(self._wake, writes)
        return fault is None

    def _wake(self, writes: Sequence[PendingWrite]) -> None:
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


def _look_at(answer: asyncio.Future[Any]) -> None:
    """So that a failure that nobody waits for any more isn't reported as one that was overlooked."""
    if not answer.cancelled():
        answer.exception()


def _succeed(opened: asyncio.Future[None]) -> None:
    if not opened.done():
        opened.set_result(None)


def _fail(opened: asyncio.Future[None], error: Exception) -> None:
    if not opened.done():
        opened.set_exception(error)
