"""A supervised worker: a place for one worker process, which is replaced whatever happens to it."""

import asyncio
from collections.abc import Callable, Sequence

from appliance.domain.errors import ApplianceError, Busy, Stopping
from appliance.workers.limits import ResourceLimits
from appliance.workers.pending_orders import NotBegun, Reply
from appliance.workers.process import WorkerLost, WorkerProcess
from appliance.workers.protocol import Order

START_TIMEOUT_S = 20.0
FIRST_PAUSE_S, MAX_PAUSE_S, MAX_DOUBLINGS = 0.1, 5.0, 6
EXIT_TIMEOUT_S = 1.0

StartProcess = Callable[[ResourceLimits], WorkerProcess]
"""Starts a worker process. Raises OSError when the system has no room for one."""


class SupervisedWorker:
    """Runs one order at a time; the next one may wait in the socket of its process.

    Without `idle_s` its process always runs. With it, the process is started for an order, and ended after so long
    without one. `start_timeout_s` is how long a process may take to get ready.
    """

    def __init__(
        self,
        limits: ResourceLimits,
        on_death: Callable[[str], None],
        idle_s: float | None = None,
        *,
        start_process: StartProcess = WorkerProcess,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._limits = limits
        self._on_death = on_death
        self._idle_s = idle_s
        self._start_process = start_process
        self._start_timeout_s = start_timeout_s
        self._process: WorkerProcess | None = None
        self._ending: set[WorkerProcess] = set()
        self._ended_cpu_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._failed_starts = 0
        self._is_stopped = False
        self._when_warm: Callable[[], None] | None = None

    @property
    def process(self) -> WorkerProcess | None:
        return self._process

    @property
    def cpu_s(self) -> float:
        """The CPU seconds that its processes have used so far."""
        process = self._process
        running = [*self._ending] if process is None else [*self._ending, process]
        return self._ended_cpu_s + sum(each.cpu_s for each in running)

    @property
    def is_permanent(self) -> bool:
        """Whether its process runs without orders too."""
        return self._idle_s is None

    async def ready(self) -> None:
        """Returns when the process is ready. Raises UnfitInstallation, or WorkerLost when it ended first."""
        async with asyncio.timeout(self._start_timeout_s):
            await asyncio.shield(self.start().ready)

    def start(self) -> WorkerProcess:
        """The process, which is started if there is none. Raises OSError."""
        self._cancel_timer()
        if self._process is None:
            self._process = process = self._start_process(self._limits)
            process.exited.add_done_callback(lambda exited: self._ended(process, exited.result()))
            process.ready.add_done_callback(self._call_when_warm)
        return self._process

    def warm(self, when_warm: Callable[[], None]) -> bool:
        """Whether the process is ready. If there is none it is started, and `when_warm` called when it is ready."""
        if self._process is None and not self._is_stopped and (process := self._start_or_later()) is not None:
            self._after_order(process)
        is_warm = self._process is not None and self._process.is_warm
        self._when_warm = None if is_warm else when_warm
        return is_warm

    def _call_when_warm(self, ready: "asyncio.Future[None]") -> None:
        if ready.cancelled() or ready.exception() is not None:
            return
        when_warm, self._when_warm = self._when_warm, None
        if when_warm is not None:
            when_warm()

    async def run(self, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        """The answer to `order`. Raises WorkerLost when the process died of it, Busy when none starts, Stopping."""
        while True:
            process = await self._ready_process()
            try:
                return await self._run(process, order, fds, deadline_s)
            except NotBegun:  # the process ended, or was replaced, after the order before
                await asyncio.shield(process.exited)

    async def _run(self, process: WorkerProcess, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        """The process's answer. Raises as `run`, and NotBegun."""
        try:
            reply = await process.call(order, fds, deadline_s)
        except WorkerLost as lost:
            if self._is_stopped:
                raise Stopping from lost
            if process is self._process:  # it is alive, but has lost its order
                self._on_death(lost.reason)
                self._replace(process)
            raise
        except BaseException:
            if process.is_closed:  # cancelled: nobody wants what it was still doing
                self._replace(process)
            elif process is self._process and not process.has_order:
                self._after_order(process)
            raise
        if process is self._process:
            self._after_order(process)
        return reply

    def renew(self) -> None:
        """Replace the process by a fresh one, which also gets the order that waits in its socket."""
        self._end()
        if self.is_permanent and not self._is_stopped:
            self._start_or_later()

    async def stop(self) -> None:
        """End the process: ask first, then kill."""
        self._is_stopped = True
        self._cancel_timer()
        self._end()
        if self._ending:
            exits = [process.exited for process in self._ending]
            _, late = await asyncio.wait(exits, timeout=EXIT_TIMEOUT_S)
            for process in list(self._ending):
                process.kill()
            if late:
                await asyncio.wait(late)

    async def _ready_process(self) -> WorkerProcess:
        for _ in range(2):  # a process that dies idle, at this moment, costs nobody an order
            process = None if self._is_stopped else self._start_or_later()
            if process is None:
                break
            try:
                async with asyncio.timeout(self._start_timeout_s):
                    await asyncio.shield(process.ready)
            except TimeoutError:
                self._on_death("start")
                self._replace(process)  # it would keep the next order waiting as long
            except (WorkerLost, ApplianceError):
                continue
            if process is self._process and not process.exited.done():
                return process
        if self._is_stopped:
            raise Stopping
        raise Busy("The image workers can't be started at the moment. Try again in a moment.", retry_after_s=5)

    def _start_or_later(self) -> WorkerProcess | None:
        """The process; None when the system has no room for one, which is tried again after a pause."""
        try:
            return self.start()
        except OSError:
            self._failed_starts += 1
            if self.is_permanent:
                self._start_after_pause()
            return None

    def _after_order(self, process: WorkerProcess) -> None:
        if process.needs_renewal:
            self.renew()
        elif self._idle_s is not None and not self._is_stopped:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._end)

    def _replace(self, process: WorkerProcess) -> None:
        if process is self._process:
            self._forget(process)
            if self.is_permanent and not self._is_stopped:
                self._start_or_later()
        process.kill()

    def _end(self) -> None:
        if self._process is not None:
            process = self._process
            self._forget(process)
            process.retire()

    def _forget(self, process: WorkerProcess) -> None:
        """Let go of a process that is about to end. It is watched until it has ended."""
        self._process = None
        if not process.exited.done():
            self._ending.add(process)

    def _ended(self, process: WorkerProcess, reason: str) -> None:
        self._ending.discard(process)
        self._ended_cpu_s += process.cpu_s
        if process is not self._process:
            return
        self._process = None
        self._on_death(reason)
        if self.is_permanent and not self._is_stopped:
            self._start_again(was_warm=process.is_warm)

    def _start_again(self, *, was_warm: bool) -> None:
        self._failed_starts = 0 if was_warm else self._failed_starts + 1
        if was_warm:
            self._start_or_later()
        else:
            self._start_after_pause()

    def _start_after_pause(self) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(pause_s(self._failed_starts), self._start_or_later)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def pause_s(failed_starts: int) -> float:
    """The pause before the next start, in seconds. It doubles with each failed start, up to five seconds."""
    return min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failed_starts, MAX_DOUBLINGS))
