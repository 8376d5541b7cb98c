"""One of several server processes: started, watched, and started again when it ends."""

import asyncio
import logging
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress

from appliance.config.model import Config

WATCHDOG_S = 30
"""As in the unit of a server that is alone: a process whose event loop hangs for so long is replaced."""
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 30.0
STEADY_S = 60.0
"""A process that lived for so long starts again after the first pause."""

Start = Callable[[int], Awaitable[Process]]

log = logging.getLogger(__name__)


class NeverReady(Exception):
    """A process that ended before it was ready for the first time; its log says why."""


class ServerChild:
    """The process with this number. `config` is its own configuration, and `start` starts it."""

    def __init__(self, number: int, config: Config, start: Start) -> None:
        self.number = number
        self.config = config
        self.is_ready = asyncio.Event()
        self.starts = 0
        self._start = start
        self._process: Process | None = None
        self._heard_s = 0.0
        self._was_ready = False
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The id of the process that runs now; None where none does."""
        return None if self._process is None else self._process.pid

    async def run(self) -> None:
        """Keep it running until `stop`. Raises NeverReady."""
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = loop.time()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            if not self._was_ready:
                raise NeverReady
            if loop.time() - began_s >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            fields = {"status": status, "starts": self.starts}
            log.error("process %d ended and starts again in %g s", self.number, pause_s, extra=fields)
            await self._stopped_within(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Have it stop in good order, and not start again."""
        self._stopping.set()
        self._signal(number)

    def hear(self, lines: list[str]) -> None:
        """Notice what the process tells."""
        self._heard_s = asyncio.get_running_loop().time()
        if "READY=1" in lines:
            self._was_ready = True
            self.is_ready.set()

    def require_life(self) -> None:
        """End a process that has been silent for too long, so that another one takes its place."""
        silent_s = asyncio.get_running_loop().time() - self._heard_s
        if self.is_ready.is_set() and not self._stopping.is_set() and silent_s > WATCHDOG_S:
            fields = {"pid": self.pid, "silent_s": round(silent_s)}
            log.error("process %d hangs and is killed", self.number, extra=fields)
            self._signal(signal.SIGKILL)

    async def _run_once(self) -> int:
        self._process = await self._start(self.number)
        self.starts += 1
        if self._stopping.is_set():  # since it began to start
            self._signal(signal.SIGTERM)
        try:
            return await self._process.wait()
        except asyncio.CancelledError:  # another one can't start
            self._signal(signal.SIGTERM)
            await self._process.wait()
            raise
        finally:
            self._process = None
            self.is_ready.clear()

    async def _stopped_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
