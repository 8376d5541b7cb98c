"""All of the server's workers: inspectors kept free for uploads, a lane for most images and one for heavy ones."""

import asyncio
import math
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from appliance.config import Renditions
from appliance.errors import ApplianceError, Busy, CannotResize, UnfitInstallation, UnreadableImage
from appliance.orders import MAX_TARGETS, Answer, Inspect, Order, Render, Sizes
from appliance.renditions import Facts, Made, Priority, Target
from appliance.threads import Threads
from appliance.workers.lane import Lane, Waiting
from appliance.workers.process import Allowance, WorkerLost
from appliance.workers.slot import Slot

INSPECTORS = 2
INSPECT_DEADLINE_S = 10.0
HEAVY_DEADLINES = 3
"""A heavy image may take this many times the ordinary deadline."""
_INSPECT_MEMORY_BYTES = 1200 * 1024 * 1024
"""libvips sets four bytes a pixel aside to read the header of a WebP, which has up to 16383 x 16383."""
_MAX_INSPECTIONS_WAITING = 1024
_HEAVY_IDLE_S = 60.0
_MAX_OUTPUT_BYTES = 512 * 1024 * 1024
"""Of all renditions of one order."""
_LARGE_BYTES = 1_000_000
"""Copying more than this would keep the event loop from its work for longer than a thread costs."""
_THREADS = 2
_CPU_RESERVE_S = 2
"""The deadline is for the clock; the limit on CPU time is there for a server that could not keep it."""


class Workers:
    """Starts, feeds, watches and replaces the worker processes.

    `on_death` is told a few words each time one dies or has to be killed at its deadline.
    """

    def __init__(self, config: Renditions, max_pixels: int, *, on_death: Callable[[str], None] | None = None) -> None:
        self._config = config
        self._max_pixels = max_pixels
        self._tell_death = on_death
        self._deaths = 0
        self._threads = Threads("outputs", _THREADS)
        inspecting = Allowance(_INSPECT_MEMORY_BYTES, _INSPECT_MEMORY_BYTES)
        normal = Allowance(config.memory_bytes, config.memory_bytes)
        heavy = Allowance(config.heavy_memory_bytes, config.heavy_memory_bytes)
        self._inspecting = Lane([self._slot(inspecting) for _ in range(INSPECTORS)], _MAX_INSPECTIONS_WAITING)
        self._normal = Lane([self._slot(normal) for _ in range(config.workers)], config.queue)
        self._heavy = Lane([self._slot(heavy, _HEAVY_IDLE_S)], config.queue)

    async def start(self) -> None:
        """Starts the inspectors and the normal lane, and waits until they are warm. Raises UnfitInstallation."""
        try:
            await asyncio.gather(*(slot.ready() for slot in (*self._inspecting.slots, *self._normal.slots)))
        except (UnfitInstallation, WorkerLost, OSError) as error:  # a TimeoutError is an OSError
            await self.stop(grace_s=0)
            if isinstance(error, UnfitInstallation):
                raise
            raise UnfitInstallation(
                "The processes that read images can't be started; what they wrote to the log says why."
            ) from error

    async def stop(self, grace_s: float = 10.0) -> None:
        """Sends away who waits, lets running orders finish within `grace_s`, then ends every process."""
        await asyncio.gather(*(lane.drain(grace_s) for lane in self._lanes.values()))
        await asyncio.gather(*(slot.stop() for slot in self._slots))
        await self._threads.close()

    async def inspect(self, fd: int) -> Facts:
        """The facts of the open file, which must be a regular one; its offset is left alone.

        Raises EmptyUpload, UnsupportedFormat, NotAnImage, UnreadableImage, Busy or Stopping. A picture over the limits
        is no error: its facts carry a `refusal`.
        """
        order = Inspect(self._max_pixels, self._config.heavy_memory_bytes, _cpu_s(INSPECT_DEADLINE_S))
        async with Waiting(self._inspecting, Priority.VIEW, lambda slot: slot) as slot:
            try:
                answer, _ = await _run(slot, order, fd, INSPECT_DEADLINE_S, self._threads)
            except WorkerLost as lost:
                raise UnreadableImage(
                    "This file can't be taken: reading its header took too long or went wrong. It is likely damaged."
                ) from lost
        if isinstance(answer, Facts):
            return answer
        raise _unexpected(answer, UnreadableImage)

    def queue(self, facts: Facts, priority: Priority) -> "Waiting[Worker]":
        """A place in the queue that suits what the image costs; raises CannotResize for one that is refused.

        Choose the targets once the place is reached: all who want the same image meanwhile can then be served at once.
        """
        if facts.refusal is not None:
            raise CannotResize(facts.refusal)
        heavy = facts.memory_bytes > self._config.memory_bytes
        lane = self._heavy if heavy else self._normal
        deadline_s = self._config.deadline_s * (HEAVY_DEADLINES if heavy else 1)
        return Waiting(lane, priority, partial(Worker, deadline_s, self._threads))

    @property
    def busy(self) -> dict[str, int]:
        """Running orders by lane."""
        return {name: lane.busy for name, lane in self._lanes.items()}

    @property
    def waiting(self) -> dict[str, int]:
        """Waiting orders by lane."""
        return {name: lane.waiting for name, lane in self._lanes.items()}

    @property
    def deaths(self) -> int:
        """How many workers died or were killed at a deadline."""
        return self._deaths

    @property
    def pids(self) -> dict[str, tuple[int, ...]]:
        """Process ids by lane; the heavy lane has one only while there is work for it."""
        return {
            name: tuple(slot.process.pid for slot in lane.slots if slot.process) for name, lane in self._lanes.items()
        }

    @property
    def protections(self) -> tuple[str, ...]:
        """What the kernel keeps the workers from, as they report it; empty before `start`."""
        return next((slot.process.protections for slot in self._slots if slot.process), ())

    @property
    def libvips(self) -> str:
        """The version of libvips in use, empty before `start`."""
        return next((slot.process.libvips for slot in self._slots if slot.process), "")

    @property
    def _lanes(self) -> dict[str, Lane]:
        return {"inspect": self._inspecting, "normal": self._normal, "heavy": self._heavy}

    @property
    def _slots(self) -> list[Slot]:
        return [slot for lane in self._lanes.values() for slot in lane.slots]

    def _slot(self, allowance: Allowance, idle_s: float | None = None) -> Slot:
        return Slot(allowance, self._on_death, idle_s)

    def _on_death(self, reason: str) -> None:
        self._deaths += 1
        if self._tell_death is not None:
            self._tell_death(reason)


class Worker:
    """A worker that is the caller's until the end of its `async with`."""

    def __init__(self, deadline_s: float, threads: Threads, slot: Slot) -> None:
        self._deadline_s = deadline_s
        self._threads = threads
        self._slot = slot

    async def render(self, fd: int, facts: Facts, targets: Sequence[Target]) -> list[Made]:
        """Every target, in their order, from one decode of the open file, whose offset is left alone.

        `facts` are the original's and decide the sizes; `fd` may hold a rendition of it that is large enough.
        Raises CannotResize when the pixels can't be decoded, the deadline passes or the process dies of them; Busy.
        """
        made: list[Made] = []
        for first in range(0, len(targets), MAX_TARGETS):
            made += await self._render(fd, facts, tuple(targets[first : first + MAX_TARGETS]))
        return made

    async def _render(self, fd: int, facts: Facts, targets: tuple[Target, ...]) -> list[Made]:
        order = Render(facts, targets, _cpu_s(self._deadline_s))
        try:
            answer, files = await _run(self._slot, order, fd, self._deadline_s, self._threads)
        except WorkerLost as lost:
            raise CannotResize(self._words(lost.reason)) from lost
        if isinstance(answer, CannotResize) and not answer.final:
            self._slot.renew()  # its memory may be in fragments: the next order gets a fresh one
        if not isinstance(answer, tuple) or len(answer) != len(targets) or len(files) != len(targets):
            raise _unexpected(answer, CannotResize)
        return [Made(target, *size, data) for target, size, data in zip(targets, answer, files, strict=True)]

    def _words(self, reason: str) -> str:
        if reason in ("deadline", "SIGXCPU"):
            return f"Resizing this image took longer than {self._deadline_s:g} seconds, the limit of this host."
        return "Resizing this image failed: decoding it crashed, or took more memory than this host allows."


async def _run(slot: Slot, order: Order, fd: int, deadline_s: float, threads: Threads) -> tuple[Answer, list[bytes]]:
    with _reopened(fd) as own:
        answer, fds = await slot.run(order, own, deadline_s)
    if sum(os.fstat(file).st_size for file in fds) <= _LARGE_BYTES:
        return answer, _contents(fds)
    return answer, await asyncio.shield(threads.run(_contents, fds))  # it closes them, whoever is cancelled meanwhile


@contextmanager
def _reopened(fd: int) -> Iterator[int]:
    """A descriptor of the same file with an offset of its own, for decoders move theirs while others read the file."""
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Busy("This host has too many files open just now; try again soon.", retry_after_s=5) from error
    try:
        yield own
    finally:
        os.close(own)


def _contents(fds: list[int]) -> list[bytes]:
    """What the files hold; closes them."""
    try:
        if sum(os.fstat(fd).st_size for fd in fds) > _MAX_OUTPUT_BYTES:  # a file may claim more than it has
            raise CannotResize("Resizing this image went wrong: what came out is too large to be renditions.")
        return [_content(fd) for fd in fds]
    finally:
        for fd in fds:
            os.close(fd)


def _content(fd: int) -> bytes:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise CannotResize("Resizing this image went wrong: what came out is no rendition.")
    return os.pread(fd, status.st_size, 0)


def _unexpected(answer: Answer | Sizes, error: type[ApplianceError]) -> ApplianceError:
    if isinstance(answer, ApplianceError):
        return answer
    return error("Reading this image went wrong: the answer makes no sense.")


def _cpu_s(deadline_s: float) -> int:
    return math.ceil(deadline_s) + _CPU_RESERVE_S
