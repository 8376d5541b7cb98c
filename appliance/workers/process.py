"""One worker process: it is started without secrets, does one order at a time, and its end is noticed at once."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.domain.errors import Busy
from appliance.workers.answers import Answer, Ready, unpack_answer
from appliance.workers.limits import MAX_CPU_S, RENEWAL_LIMITS, RenewalLimits, ResourceLimits
from appliance.workers.pending_orders import NotBegun, PendingOrder, PendingOrders, Reply, close_all
from appliance.workers.protocol import MAX_MESSAGE_BYTES, MAX_TARGETS, Order, pack_order
from appliance.workers.stderr_log import StderrLog

_OWN_CPU_SHARE = 0.8
"""Of a deadline: an order that used so much of it would miss it on an idle host too."""

Spawn = Callable[[int, ResourceLimits], "subprocess.Popen[bytes]"]


class WorkerLost(Exception):
    """The process ended or was killed before it answered. `reason` is a label of a metric.

    `used_cpu` says that the order itself took the processor's time until its deadline, and didn't wait for it.
    """

    def __init__(self, reason: str, *, used_cpu: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.used_cpu = used_cpu


class WorkerProcess:
    """A running worker, in the server's process group. Construct it inside the event loop.

    Constructing raises OSError when the system has no process, memory or descriptor left for it. `spawn` starts the
    program with the descriptor of its end of the socket.
    """

    def __init__(
        self, limits: ResourceLimits, renewal: RenewalLimits = RENEWAL_LIMITS, spawn: Spawn | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._renewal = renewal
        self._pending = PendingOrders(self._late)
        self._began_cpu_s = 0.0
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.exited: asyncio.Future[str] = self._loop.create_future()
        self.orders = 0
        self._last_cpu_s: float | None = None
        self.protections: tuple[str, ...] = ()
        self.libvips = ""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = (spawn or spawn_worker)(theirs.fileno(), limits)
            self._pidfd = _watched(self._process)
        except OSError:
            self._socket.close()
            raise
        assert self._process.stderr is not None
        self._stderr_log = StderrLog(self._process.stderr, self._process.pid)
        self._socket.setblocking(False)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._loop.add_reader(self._socket, self._on_message)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        """The CPU seconds that it has used so far, or in all once it has ended."""
        return _cpu_s(self.pid) if self._last_cpu_s is None else self._last_cpu_s

    async def call(self, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        """The answer to `order`, which waits in the socket while an earlier one is done.

        Raises WorkerLost or Busy, and NotBegun when an earlier order ended the process. A fault of an order that has
        begun ends the process, and so does cancelling it: then it `is_closed`.
        """
        if self.exited.done():
            raise WorkerLost(self.exited.result())
        self.orders += 1
        pending = PendingOrder(deadline_s)
        try:
            socket.send_fds(self._socket, [pack_order(order)], fds)
        except OSError as error:
            if self._pending:
                raise NotBegun from error
            self.kill()
            raise WorkerLost("closed") from error
        if not self._pending:
            self._began_cpu_s = self.cpu_s
        self._pending.add(pending)
        try:
            return await pending.reply
        except asyncio.CancelledError:
            pending.discard()
            if pending.has_begun and pending.reply.cancelled():  # else it has an answer, and the next one has begun
                self.kill()
            raise

    @property
    def has_order(self) -> bool:
        """Whether it has an order that it has not answered yet."""
        return bool(self._pending)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more orders, because it has ended or is about to."""
        return self._socket.fileno() < 0

    @property
    def is_warm(self) -> bool:
        """Whether it has got ready."""
        return self.libvips != ""

    @property
    def needs_renewal(self) -> bool:
        """Whether a fresh process should take its place before the next order."""
        limits = self._renewal
        return (
            self.orders >= limits.orders
            or (self.orders % limits.weigh_every_orders == 0 and _resident_bytes(self.pid) > limits.resident_bytes)
            or self.cpu_s >= limits.cpu_s
            or _threads(self.pid) > limits.threads
        )

    def retire(self) -> None:
        """Let it end by itself, which it does when its socket is closed. Orders that it has get NotBegun."""
        if self._pending:
            self._pending.end(NotBegun())
            self.kill()
        self._close_socket()

    def kill(self) -> None:
        """End it at once."""
        if not self.exited.done():
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._close_socket()

    def _on_message(self) -> bool:
        """Take a message, if there is one; whether there was."""
        try:
            message, fds, flags, _ = socket.recv_fds(self._socket, MAX_MESSAGE_BYTES, MAX_TARGETS)
        except BlockingIOError:
            return False
        except OSError:
            message, fds, flags = b"", [], 0
        if not message:
            self._close_socket()
            return False
        if flags & socket.MSG_CTRUNC:  # the server has no free descriptor: not the order's fault
            close_all(fds)
            self._pending.fail_first(Busy(retry_after_s=5))
            self.kill()
            return False
        try:
            self._take(unpack_answer(message), fds)
        except ValueError:  # it breaks the protocol, so it can't be trusted
            close_all(fds)
            self.kill()
            return False
        return True

    def _take(self, answer: Answer, fds: list[int]) -> None:
        if self.ready.done():
            self._pending.answer_first((answer, fds))
            self._began_cpu_s = self.cpu_s
            return
        self._greet(answer)
        close_all(fds)

    def _late(self, order: PendingOrder) -> None:
        """End the process, whose order has passed its deadline."""
        used_cpu = self.cpu_s - self._began_cpu_s >= order.deadline_s * _OWN_CPU_SHARE
        order.fail(WorkerLost("deadline", used_cpu=used_cpu))
        self.kill()

    def _greet(self, answer: Answer) -> None:
        if isinstance(answer, Ready):
            self.protections, self.libvips = answer.protections, answer.libvips
            self.ready.set_result(None)
        elif isinstance(answer, Exception):
            self.ready.set_exception(answer)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        while not self.is_closed and self._on_message():  # answers may have come just before
            pass
        self._last_cpu_s = _cpu_s(self.pid)  # while the kernel still knows it
        reason = _reason(self._process.wait())
        self._stderr_log.log_rest()
        os.close(self._pidfd)
        self._close_socket()
        self.exited.set_result(reason)
        self._pending.end(WorkerLost(reason))
        if not self.ready.done():
            self.ready.set_exception(WorkerLost(reason))
        if not self.ready.cancelled():
            self.ready.exception()  # marked as retrieved: perhaps nobody waits for it

    def _close_socket(self) -> None:
        if not self.is_closed:
            self._loop.remove_reader(self._socket)
            self._socket.close()


def spawn_worker(fd: int, limits: ResourceLimits) -> subprocess.Popen[bytes]:
    """Start the worker's program, which takes orders on this socket. Raises OSError."""
    command = [sys.executable, "-I", "-m", "appliance.imaging.worker"]
    cpu_s = MAX_CPU_S + limits.order_cpu_s
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
        with contextlib.suppress(OSError):  # it has ended already, which `_on_exit` notices
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + limits.niceness)
    return process


def _watched(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process ends. When there is none, kills it and raises OSError."""
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        process.kill()
        process.communicate()
        raise


def _cpu_s(pid: int) -> float:
    """The CPU time of a process of ours, by the clock that clock_getcpuclockid(3) names."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0  # it has ended, which `_on_exit` notices


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
