"""A leased worker: the orders it takes, and their results."""

import asyncio
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from appliance.domain import file_edits
from appliance.domain.animation import AnimationBudget, keeps_animation
from appliance.domain.details import Details
from appliance.domain.errors import ApplianceError, Busy, CannotResize, Stopping, UnreadableImage
from appliance.domain.file_edits import Findings
from appliance.domain.formats import JPEG
from appliance.domain.model import KeepMetadata
from appliance.domain.regions import Cut, Material
from appliance.domain.renditions import Facts, RenderedFile, Target
from appliance.shared.threads import Threads
from appliance.workers.answers import Answer, Edited, Examined, Sizes
from appliance.workers.fast_jpeg import FastJpeg
from appliance.workers.lanes import order_cpu_s
from appliance.workers.limits import MAX_OUTPUT_BYTES
from appliance.workers.process import WorkerLost
from appliance.workers.protocol import (
    MAX_TARGETS,
    BuildPyramid,
    CutOut,
    Examine,
    FindPrivate,
    Inspect,
    Order,
    ReadDetails,
    Render,
)
from appliance.workers.supervised_worker import SupervisedWorker

_LARGE_BYTES = 1_000_000
"""Copying more than this would keep the event loop from its work for longer than a thread costs."""
_NOTHING_FOUND = Findings((), complete=False)
_NOTHING_READ = Details(complete=False)
_CRASHES = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP"})
_QUICK_NS = 200
"""A pixel written as JPEG or WebP takes less."""


class Worker:
    """A worker that belongs to the caller until the end of its lease. An order may take `deadline_s` seconds."""

    def __init__(
        self,
        deadline_s: float,
        threads: Threads,
        animations: AnimationBudget,
        fast_jpeg: FastJpeg,
        slot: SupervisedWorker,
    ) -> None:
        self._deadline_s = deadline_s
        self._threads = threads
        self._animations = animations
        self._fast_jpeg = fast_jpeg
        self._slot = slot

    async def inspect(self, fd: int, order: Inspect) -> Facts:
        """What the open file's header says. Raises as `Workers.inspect` does."""
        try:
            answer, _ = await self._run(order, fd)
        except WorkerLost as lost:
            raise UnreadableImage("This file's header can't be read. The file is probably damaged.") from lost
        if isinstance(answer, Facts):
            return answer
        raise _unexpected(answer, UnreadableImage)

    async def find_private(self, fd: int, keep: KeepMetadata) -> Findings:
        """What to change in the open file; not complete where it can't be read. Raises Busy, Stopping."""
        try:
            answer, files = await self._run(FindPrivate(keep, order_cpu_s(self._deadline_s)), fd)
        except WorkerLost:
            return _NOTHING_FOUND
        if isinstance(answer, Busy | Stopping):
            raise answer
        return _findings(answer, files, os.fstat(fd).st_size)

    async def examine(self, fd: int, inspect: Inspect, keep: KeepMetadata) -> tuple[Facts, Findings]:
        """What `inspect` and `find_private` say, in one order. Raises as `inspect`."""
        try:
            answer, files = await self._run(Examine(inspect, FindPrivate(keep, order_cpu_s(self._deadline_s))), fd)
        except WorkerLost:  # by itself each shows whether it was the one
            return await self.inspect(fd, inspect), await self.find_private(fd, keep)
        if not isinstance(answer, Examined):
            raise _unexpected(answer, UnreadableImage)
        return answer.facts, _findings(answer.edited, files, os.fstat(fd).st_size)

    async def read_details(self, fd: int, keep: KeepMetadata) -> Details:
        """What the open file says; not complete where it can't be read. Raises Busy, Stopping."""
        try:
            answer, _ = await self._run(ReadDetails(keep, order_cpu_s(self._deadline_s)), fd)
        except WorkerLost:
            return _NOTHING_READ
        if isinstance(answer, Busy | Stopping):
            raise answer
        return answer if isinstance(answer, Details) else _NOTHING_READ

    async def render(
        self, fd: int, facts: Facts, targets: Sequence[Target], *, patient: bool = False
    ) -> list[RenderedFile]:
        """A file for each target, in their order, from one decode of the open file, whose offset is left alone.

        `facts` are the original's and decide the sizes; `fd` may hold a rendition of it that is large enough. A
        `patient` caller prefers smaller files to soon ones.

        Raises CannotResize when the pixels can't be decoded, the deadline passes or the process dies of them; Busy.
        """
        made: list[RenderedFile] = []
        for first in range(0, len(targets), MAX_TARGETS):
            made += await self._render(fd, facts, tuple(targets[first : first + MAX_TARGETS]), patient)
        return made

    async def cut(self, fd: int, facts: Facts, material: Material, cuts: Sequence[Cut]) -> list[bytes]:
        """The file of each cut, in their order. `fd` holds `material` of the original that the facts describe.

        Raises CannotResize, Busy.
        """
        files: list[bytes] = []
        for first in range(0, len(cuts), MAX_TARGETS):
            some = tuple(cuts[first : first + MAX_TARGETS])
            order = CutOut(facts, material, some, order_cpu_s(self._deadline_s))
            files += (await self._results(order, fd, len(some)))[1]
        return files

    async def build_pyramid(self, fd: int, output_fd: int) -> None:
        """Write the pyramid of the open image into an empty file. Raises CannotResize, Busy."""
        await self._results(BuildPyramid(order_cpu_s(self._deadline_s)), fd, 0, output_fd)

    async def _render(self, fd: int, facts: Facts, targets: tuple[Target, ...], patient: bool) -> list[RenderedFile]:
        moving = frozenset(target for target in targets if keeps_animation(facts, target, self._animations))
        order = Render(facts, targets, moving, order_cpu_s(self._deadline_s), patient, self._fast_jpeg.is_on)
        sizes, files = await self._rendered(order, fd)
        return [
            RenderedFile(target, width, height, data, moved, has_gain_map)
            for target, (width, height, moved, has_gain_map), data in zip(targets, sizes, files, strict=True)
        ]

    async def _rendered(self, order: Render, fd: int) -> tuple[Sizes, list[bytes]]:
        """The results of the order; where its worker crashes, those of libvips alone."""
        try:
            return await self._results(order, fd, len(order.targets))
        except CannotResize as refusal:
            if not (order.fast_jpeg and _has_crashed(refusal.__cause__) and order.facts.media_type == JPEG.media_type):
                raise
            results = await self._results(replace(order, fast_jpeg=False), fd, len(order.targets))
        self._fast_jpeg.note_crash()
        return results

    async def _results(self, order: Order, fd: int, count: int, *output: int) -> tuple[Sizes, list[bytes]]:
        """Sizes and files of an order that makes `count` of them."""
        try:
            answer, files = await self._run(order, fd, *output)
        except WorkerLost as lost:
            refusal = CannotResize(self._detail(lost.reason))
            refusal.is_too_slow = _is_quick(order) and (lost.used_cpu or lost.reason == "SIGXCPU")
            raise refusal from lost
        if isinstance(answer, CannotResize) and not answer.final:
            self._slot.renew()  # its memory may be fragmented: the next order gets a fresh process
        if not isinstance(answer, tuple) or len(answer) != count or len(files) != count:
            raise _unexpected(answer, CannotResize)
        return answer, files

    async def _run(self, order: Order, fd: int, *output: int) -> tuple[Answer, list[bytes]]:
        """The answer, and the contents of the files that come with it. Raises WorkerLost, Busy, Stopping."""
        with _reopened(fd) as own:
            answer, fds = await self._slot.run(order, (own, *output), self._deadline_s)
        if sum(os.fstat(file).st_size for file in fds) <= _LARGE_BYTES:
            return answer, read_and_close(fds)
        # Shielded, so that the descriptors are closed even when this call is cancelled.
        return answer, await asyncio.shield(self._threads.run(read_and_close, fds))

    def _detail(self, reason: str) -> str:
        if reason in ("deadline", "SIGXCPU"):
            return f"Resizing this image took longer than the limit of {self._deadline_s:g} seconds."
        return "Resizing this image failed. Decoding it crashed, or needed more memory than this host allows."


def _has_crashed(cause: BaseException | None) -> bool:
    return isinstance(cause, WorkerLost) and cause.reason in _CRASHES


@contextmanager
def _reopened(fd: int) -> Iterator[int]:
    """A descriptor of the same file with its own offset, since decoders move theirs while others read the file."""
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Busy(retry_after_s=5) from error
    try:
        yield own
    finally:
        os.close(own)


def read_and_close(fds: list[int]) -> list[bytes]:
    """The contents of the files, which are closed."""
    try:
        if sum(os.fstat(fd).st_size for fd in fds) > MAX_OUTPUT_BYTES:  # a file may claim to be larger than it is
            raise CannotResize("Resizing this image failed because the result is too large.")
        return [_content(fd) for fd in fds]
    finally:
        for fd in fds:
            os.close(fd)


def _content(fd: int) -> bytes:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise CannotResize("Resizing this image failed because the result is not an image.")
    return os.pread(fd, status.st_size, 0)


def _findings(answer: Answer | None, files: list[bytes], length: int) -> Findings:
    """The answer as findings in a file of that length; nothing where it makes no sense."""
    if not isinstance(answer, Edited) or len(files) != 1:
        return _NOTHING_FOUND
    if answer.cut_at is not None and not 0 < answer.cut_at < length:
        return _NOTHING_FOUND
    try:
        found = file_edits.unpack(files[0], length)
    except ValueError:
        return _NOTHING_FOUND
    return Findings(found, answer.complete, answer.content_credentials, answer.cut_at)


def _unexpected(answer: Answer | Sizes, error: type[ApplianceError]) -> ApplianceError:
    if isinstance(answer, ApplianceError):
        return answer
    return error("Reading this image failed because the worker's answer is invalid.")


def _is_quick(order: Order) -> bool:
    """Whether only the image can make an order slow, and not the writing of its targets."""
    return isinstance(order, Render) and all(one.format.spec.write_ns <= _QUICK_NS for one in order.targets)
