"""A place for one worker process: it is never empty for long, whatever happens to the process in it."""

import asyncio
from collections.abc import Callable, Sequence

from appliance.domain.errors import ApplianceError, Busy, Stopping
from appliance.workers.process import Reply, ResourceLimits, WorkerLost, WorkerProcess
from appliance.workers.protocol import Order

_START_TIMEOUT_S = 20.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGER_PAUSES = 0.1, 5.0, 6
_LAST_WORDS_S = 1.0


class SupervisedWorker:
    """Runs one order at a time. `idle_s` makes it start its process for an order, and end it after so long without."""

    def __init__(self, limits: ResourceLimits, on_death: Callable[[str], None], idle_s: float | None = None) -> None:
        self._limits = limits
        self._on_death = on_death
        self._idle_s = idle_s
        self._process: WorkerProcess | None = None
        self._ending: set[WorkerProcess] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._failed_starts = 0
        self._stopped = False
        self._when_warm: Callable[[], None] | None = None

    @property
    def process(self) -> WorkerProcess | None:
        return self._process

    async def ready(self) -> None:
        """Returns when the process is warm. Raises UnfitInstallation, or WorkerLost when it ended first."""
        async with asyncio.timeout(_START_TIMEOUT_S):
            await asyncio.shield(self.start().ready)

    def start(self) -> WorkerProcess:
        """The slot's process, started if there is none."""
        self._cancel_timer()
        if self._process is None:
            self._process = process = WorkerProcess(self._limits)
            process.exited.add_done_callback(lambda exited: self._ended(process, exited.result()))
            process.ready.add_done_callback(self._tell_warm)
        return self._process

    def warm(self, when_warm: Callable[[], None]) -> bool:
        """Whether the process is warm. One that is not there is started, and `when_warm` called when it is ready."""
        if self._process is None and not self._stopped and (process := self._start_or_later()) is not None:
            self._after(process)
        is_warm = self._process is not None and self._process.libvips != ""
        self._when_warm = None if is_warm else when_warm
        return is_warm

    def _tell_warm(self, ready: "asyncio.Future[None]") -> None:
        if ready.cancelled() or ready.exception() is not None:
            return
        told, self._when_warm = self._when_warm, None
        if told is not None:
            told()

    async def run(self, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        """The answer to `order`. Raises WorkerLost when the process died of it, Busy when none starts, Stopping."""
        process = await self._warm()
        try:
            reply = await process.call(order, fds, deadline_s)
        except WorkerLost as lost:
            if self._stopped:
                raise Stopping from lost
            if process is self._process:  # it is alive, but has lost its order
                self._on_death(lost.reason)
                self._replace(process)
            raise
        except BaseException:  # cancelled: what it still does is wanted by nobody
            self._replace(process)
            raise
        self._after(process)
        return reply

    def renew(self) -> None:
        """Replace the process, which has no order, by a fresh one."""
        self._end()
        if self._idle_s is None and not self._stopped:
            self._start_or_later()

    async def stop(self) -> None:
        """Ends the process, asking first."""
        self._stopped = True
        self._cancel_timer()
        self._end()
        if self._ending:
            exits = [process.exited for process in self._ending]
            _, late = await asyncio.wait(exits, timeout=_LAST_WORDS_S)
            for process in list(self._ending):
                process.kill()
            if late:
                await asyncio.wait(late)

    async def _warm(self) -> WorkerProcess:
        for _ in range(2):  # one that dies idle, as it is taken, costs nobody an order
            process = None if self._stopped else self._start_or_later()
            if process is None:
                break
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    await asyncio.shield(process.ready)
            except TimeoutError:
                self._on_death("start")
                self._replace(process)  # it would keep who comes next waiting as long
            except (WorkerLost, ApplianceError):
                continue
            if process is self._process and not process.exited.done():
                return process
        if self._stopped:
            raise Stopping
        raise Busy("The image workers can't be started at the moment. Try again in a moment.", retry_after_s=5)

    def _start_or_later(self) -> WorkerProcess | None:
        """The slot's process; None when the system has no room for one, which is tried again after a pause."""
        try:
            return self.start()
        except OSError:
            self._failed_starts += 1
            if self._idle_s is None:
                self._start_after_pause()
            return None

    def _after(self, process: WorkerProcess) -> None:
        if process.is_worn:
            self.renew()
        elif self._idle_s is not None and not self._stopped:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._end)

    def _replace(self, process: WorkerProcess) -> None:
        if process is self._process:
            self._forget(process)
            if self._idle_s is None and not self._stopped:
                self._start_or_later()
        process.kill()

    def _end(self) -> None:
        if self._process is not None:
            process = self._process
            self._forget(process)
            process.retire()

    def _forget(self, process: WorkerProcess) -> None:
        """Let go of a process that is about to end; it is kept in sight until it has."""
        self._process = None
        if not process.exited.done():
            self._ending.add(process)

    def _ended(self, process: WorkerProcess, reason: str) -> None:
        self._ending.discard(process)
        if process is not self._process:
            return
        self._process = None
        self._on_death(reason)
        if self._idle_s is None and not self._stopped:
            self._start_again(was_ready=process.libvips != "")

    def _start_again(self, *, was_ready: bool) -> None:
        self._failed_starts = 0 if was_ready else self._failed_starts + 1
        if was_ready:
            self._start_or_later()
        else:
            self._start_after_pause()

    def _start_after_pause(self) -> None:
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failed_starts, _LONGER_PAUSES))
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._start_or_later)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
