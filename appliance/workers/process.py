"""One worker process: started with nothing it could give away, one order at a time, its end noticed at once."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.errors import Busy
from appliance.workers.complaints import Complaints
from appliance.workers.protocol import MAX_MESSAGE_BYTES, MAX_TARGETS, Answer, Order, Ready, pack_order, unpack_answer

MAX_OUTPUT_BYTES = 512 * 1024 * 1024
"""Of all renditions of one order."""

RENEW_AFTER_ORDERS = 5000
"""A new worker costs most of a second of a core, which is a hundredth of the work of so many orders."""
MAX_RESTING_BYTES = 256 * 1024 * 1024
"""Of memory between two orders; a worker of ordinary images rests at 90 MB. What decoders leak goes back with it."""
WEIGHED_EVERY_ORDERS = 50
RENEW_AFTER_CPU_S = 1800
"""A process gets this and its longest order, by a limit that it can't raise; one that has had it makes room before."""
_OWN_CPU_SHARE = 0.8
"""Of a deadline: an order that used so much of it would miss it on an idle host too."""
MAX_IDLE_THREADS = 64
"""Some six are normal. A worker that keeps more than this after an order takes them from the others."""

Reply = tuple[Answer, list[int]]
"""An answer and the descriptors that came with it; who takes the reply closes them."""


class WorkerLost(Exception):
    """The process ended, or had to be ended, before it answered. `reason` is a few words for a metric's label.

    `used_cpu` says that the order itself took the processor's time until its deadline, and didn't wait for it.
    """

    def __init__(self, reason: str, *, used_cpu: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.used_cpu = used_cpu


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What a worker may use. `jpeg_bytes` is where libjpeg gives up holding a progressive picture.

    `order_cpu_s` is the longest order's share of the processor's time, `output_bytes` the largest file it may write;
    `niceness` is how far it stands back for others.
    """

    decode_bytes: int
    jpeg_bytes: int
    order_cpu_s: int = 60
    output_bytes: int = MAX_OUTPUT_BYTES
    niceness: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """All that a worker sees of the environment; no secret of the server's is in it."""
        return {
            "LANG": "C.UTF-8",
            "VIPS_CONCURRENCY": "1",
            # Beyond 100 MB libvips would decode into a file, which the sandbox refuses; memory is bounded as it is.
            "VIPS_DISC_THRESHOLD": "1000g",
            "VIPS_WARNING": "1",  # silences the warnings that strangers' files would fill the log with
            "JPEGMEM": str(self.jpeg_bytes // 1000),  # libjpeg counts in thousands
            "MALLOC_ARENA_MAX": "2",
        }


class WorkerProcess:
    """A running worker. Construct it inside the event loop; it lives in the server's process group.

    Constructing raises OSError when the system has no process, memory or descriptor left for it.
    """

    def __init__(self, limits: ResourceLimits) -> None:
        self._loop = asyncio.get_running_loop()
        self._pending: asyncio.Future[Reply] | None = None
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.exited: asyncio.Future[str] = self._loop.create_future()
        self.orders = 0
        self.protections: tuple[str, ...] = ()
        self.libvips = ""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = _spawn(theirs.fileno(), limits)
            self._pidfd = _watched(self._process)
        except OSError:
            self._socket.close()
            raise
        assert self._process.stderr is not None
        self._complaints = Complaints(self._process.stderr, self._process.pid)
        self._socket.setblocking(False)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._loop.add_reader(self._socket, self._on_message)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        """The answer to `order`. Raises WorkerLost or Busy; then, and when cancelled, the process must be killed."""
        if self.exited.done():
            raise WorkerLost(self.exited.result())
        self.orders += 1
        self._pending = pending = self._loop.create_future()
        started_cpu_s = _cpu_s(self.pid)
        try:
            socket.send_fds(self._socket, [pack_order(order)], fds)
            async with asyncio.timeout(deadline_s):
                reply: Reply = await pending
                return reply
        except TimeoutError:
            _discard(pending)
            used_cpu = _cpu_s(self.pid) - started_cpu_s >= deadline_s * _OWN_CPU_SHARE
            raise WorkerLost("deadline", used_cpu=used_cpu) from None
        except OSError as error:
            raise WorkerLost("closed") from error
        except asyncio.CancelledError:
            _discard(pending)
            raise
        finally:
            self._pending = None

    @property
    def is_worn(self) -> bool:
        """Whether a fresh one should take its place before the next order."""
        return (
            self.orders >= RENEW_AFTER_ORDERS
            or (self.orders % WEIGHED_EVERY_ORDERS == 0 and _resident_bytes(self.pid) > MAX_RESTING_BYTES)
            or _cpu_s(self.pid) >= RENEW_AFTER_CPU_S
            or _threads(self.pid) > MAX_IDLE_THREADS
        )

    def retire(self) -> None:
        """Let it end by itself, which it does as soon as it sees its socket closed."""
        self._close_socket()

    def kill(self) -> None:
        """End it at once."""
        if not self.exited.done():
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._close_socket()

    def _on_message(self) -> None:
        try:
            message, fds, flags, _ = socket.recv_fds(self._socket, MAX_MESSAGE_BYTES, MAX_TARGETS)
        except BlockingIOError:
            return
        except OSError:
            message, fds, flags = b"", [], 0
        if not message:
            self._close_socket()
            return
        if flags & socket.MSG_CTRUNC:  # the server has as many files open as it may: no fault of the order's
            _close_all(fds)
            self._fail(Busy(retry_after_s=5))
            return
        try:
            self._take(unpack_answer(message), fds)
        except ValueError:  # it doesn't keep to the protocol, so it is not to be trusted with more
            _close_all(fds)
            self.kill()

    def _take(self, answer: Answer, fds: list[int]) -> None:
        if not self.ready.done():
            self._greet(answer)
            _close_all(fds)
        elif self._pending is not None and not self._pending.done():
            self._pending.set_result((answer, fds))
        else:
            raise ValueError("an answer that nobody waits for")

    def _fail(self, fault: Exception) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(fault)

    def _greet(self, answer: Answer) -> None:
        if isinstance(answer, Ready):
            self.protections, self.libvips = answer.protections, answer.libvips
            self.ready.set_result(None)
        elif isinstance(answer, Exception):
            self.ready.set_exception(answer)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        if self._socket.fileno() >= 0:
            self._on_message()  # an answer may have come just before
        reason = _reason(self._process.wait())
        self._complaints.finish()
        os.close(self._pidfd)
        self._close_socket()
        self.exited.set_result(reason)
        for waiting in (self.ready, self._pending):
            if waiting is not None and not waiting.done():
                waiting.set_exception(WorkerLost(reason))
        if self.ready.done() and not self.ready.cancelled():
            self.ready.exception()  # whoever waits sees it; nobody has to

    def _close_socket(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()


def _spawn(fd: int, limits: ResourceLimits) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-m", "appliance.imaging.worker"]
    cpu_s = RENEW_AFTER_CPU_S + limits.order_cpu_s
    figures = (fd, os.getpid(), limits.decode_bytes, limits.output_bytes, cpu_s)
    process = subprocess.Popen(
        [*command, *map(str, figures)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(fd,),
        env=limits.environment,
        cwd="/",
    )
    if limits.niceness:
        with contextlib.suppress(OSError):  # it has ended already, which is noticed elsewhere
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + limits.niceness)
    return process


def _watched(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that tells of its end. OSError when there is none left; then the process is ended at once."""
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        process.kill()
        process.communicate()
        raise


def _cpu_s(pid: int) -> float:
    """The processor's time that a process of ours has had, by the clock that clock_getcpuclockid(3) names."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0  # it has ended, which is noticed elsewhere


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _threads(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2  # noqa: PTH116 - one call, after each order
    except OSError:
        return 0


def _reason(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"exit {returncode}"


def _discard(pending: asyncio.Future[Reply]) -> None:
    """Close what came too late to be wanted."""
    if pending.done() and not pending.cancelled() and pending.exception() is None:
        _close_all(pending.result()[1])


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
