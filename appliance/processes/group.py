"""Several server processes: the one that people start holds the sockets, and starts, watches and stops the others.

It answers no request itself. All processes accept connections from the same sockets, so whichever is free accepts the
next one, and none waits for a process that is busy or has died.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import Process
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from appliance.config.model import Config
from appliance.processes.group_commands import GroupCommands
from appliance.processes.leftovers import take_over_leftovers
from appliance.processes.notices import Notices
from appliance.processes.place import ProcessPlace
from appliance.processes.server_child import WATCHDOG_S, NeverReady, ServerChild
from appliance.processes.share import node_address, node_secret, share_of
from appliance.server.control import listening
from appliance.server.data_dir_lock import owned_data_dir
from appliance.server.metrics_site import serving_metrics
from appliance.server.sockets import allow_open_files, bound
from appliance.server.startup_checks import refuse_unfinished_recovery
from appliance.server.systemd import Supervisor
from appliance.shared.unix_peers import keep_orphans

LOOK_EVERY_S = 5.0
_OF_A_START = ("EXTEND_TIMEOUT_USEC=", "STATUS=Waiting")

log = logging.getLogger(__name__)


def serve_processes(config: Config, file: Path | None, manager: Supervisor) -> int:
    """`appliance serve` with several processes: run until SIGTERM or SIGINT; the exit status.

    `file` is the configuration file that was named, if one was. Raises the named errors of starting.
    """
    allow_open_files()
    with owned_data_dir(config):
        refuse_unfinished_recovery(config)
        keep_orphans()
        take_over_leftovers(config)
        return asyncio.run(ProcessGroup(config, file, manager).run())


class ProcessGroup:
    """The processes of one server. Makes and holds their sockets. Raises UnfitInstallation."""

    def __init__(self, config: Config, file: Path | None, manager: Supervisor) -> None:
        self._config = config
        self._file = file
        self._manager = manager
        self._notices = Notices(self._hear)
        self._sockets = manager.sockets or tuple(bound(config.server.listen))
        secret = node_secret(config)
        self._node_sockets = {}
        self._children: list[ServerChild] = []
        for number in range(1, config.server.processes + 1):
            self._node_sockets[number] = one = bound(node_address(config, number))[0]
            one.listen()  # calls of other nodes wait for a process that starts again
            share = share_of(config, number, node_listen=node_address(config, number, one), secret=secret)
            self._children.append(ServerChild(number, share, self._start))
        self._is_ready = self._is_stopping = False

    async def run(self) -> int:
        """The exit status, once all processes have ended."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        async with AsyncExitStack() as stack:
            stack.enter_context(self._notices.heard())
            commands = GroupCommands(self._children)
            await stack.enter_async_context(listening(self._config, commands.as_commands()))
            await stack.enter_async_context(
                serving_metrics(self._config.server, commands.metrics, self._manager.metrics_sockets)
            )
            await stack.enter_async_context(self._manager.watchdog())
            is_ok = await self._run_children()
        log.info("stopped")
        return 0 if is_ok else 1

    async def _run_children(self) -> bool:
        """Return once all have ended: whether each was ready before."""
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(child.run()) for child in self._children]
                meanwhile = [tasks.create_task(self._announce()), tasks.create_task(self._look_after())]
                await asyncio.wait(running)
                for task in meanwhile:
                    task.cancel()
        except* NeverReady:
            log.error("a process ended before it was ready, so all are stopped; its lines above say why")
            self._is_ready = False
        return self._is_ready or self._is_stopping

    async def _announce(self) -> None:
        for child in self._children:
            await child.is_ready.wait()
        self._is_ready = True
        count = len(self._children)
        log.info("serving on %s by %d processes", self._config.server.base_url, count)
        self._manager.notify("READY=1", f"STATUS=Serving {self._config.server.base_url} by {count} processes")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._notices.read()  # should this process have been the one that was held up
            for child in self._children:
                child.require_life()
            self._bury_orphans()

    def _hear(self, pid: int, lines: list[str]) -> None:
        for child in self._children:
            if child.pid == pid:
                child.hear(lines)
        if not self._is_ready and (passed_on := [line for line in lines if line.startswith(_OF_A_START)]):
            self._manager.notify(*passed_on)

    def _stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._is_stopping = True
        self._manager.notify("STOPPING=1", "STATUS=Finishing requests in progress")
        for child in self._children:
            child.stop(number)

    def _interrupted(self) -> None:
        """A person's second Ctrl-C means not to wait."""
        self._stop(signal.SIGINT if self._is_stopping else signal.SIGTERM)

    async def _start(self, number: int) -> Process:
        """In a session of its own, so that Ctrl-C reaches this process alone, which stops them in order."""
        node_socket = self._node_sockets[number].fileno()
        shared = tuple(one.fileno() for one in self._sockets)
        command = [sys.executable, "-m", "appliance.cli", "serve", f"--processes={len(self._children)}"]
        if self._file is not None:
            command.append(f"--config={self._file}")
        return await asyncio.create_subprocess_exec(
            *command,
            f"--place={ProcessPlace(number, os.getpid(), shared, node_socket)}",
            env=os.environ | {"NOTIFY_SOCKET": self._notices.address, "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000)},
            pass_fds=(*shared, node_socket),
            start_new_session=True,
        )

    def _bury_orphans(self) -> None:
        """Reap workers whose server has died; they became children of this process."""
        ours = {child.pid for child in self._children}
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if ended.si_pid in ours:  # the event loop waits for it
                    return
                os.waitpid(ended.si_pid, 0)
