"""What commands on the terminal get from several processes: the state of all, and what one does for all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from appliance.config.model import Config
from appliance.domain.errors import ApplianceError, CommandFailed, ServerNotRunning
from appliance.processes.group_metrics import merged
from appliance.processes.server_child import ServerChild
from appliance.server import control
from appliance.server.control import Answer, Commands

SUMS = ("in_flight", "waiting_for_the_store", "uploads_arriving", "waiting_to_be_purged")
"""What each process counts for itself. All else in a status is true of the host, so any process may say it."""
OF_EACH = ("node", "pid", "ready", *SUMS)
STARTING = "The processes are starting. Try again in a moment."

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class GroupCommands:
    """Asks the processes, each on its own control socket."""

    def __init__(self, children: Sequence[ServerChild]) -> None:
        self._children = children

    def as_commands(self) -> Commands:
        """What the rows of the catalogue say holds for all, so any process may carry it out."""
        any_of_all = self._any_of_all
        return Commands(
            expire=self._expire,
            status=self.status,
            drain=self.drain,
            take_down=lambda slug: any_of_all(lambda config: control.ask_takedown(config, slug)),
            reinspect=lambda request: any_of_all(lambda config: control.ask_reinspect(config, request)),
            key=lambda order: any_of_all(lambda config: control.ask_key(config, order)),
            ban=lambda order: any_of_all(lambda config: control.ask_ban(config, order)),
            forget_node=lambda name: any_of_all(lambda config: control.ask_forget_node(config, name)),
            log_changes=lambda: any_of_all(control.ask_log_changes),
            end_change_log=lambda: any_of_all(control.ask_end_change_log),
            only_on_node=lambda name: any_of_all(lambda config: control.ask_only_on_node(config, name)),
            metrics=self.metrics,
        )

    async def status(self) -> Answer:
        """The state of all: ready if each is, and `processes` with the state of each. Raises CommandFailed."""
        answers = await self._each(control.ask_status)
        if not answers:
            raise CommandFailed(STARTING)
        whole = dict(next(iter(answers.values())))
        whole |= {name: sum(answer[name] for answer in answers.values()) for name in SUMS}
        whole["ready"] = len(answers) == len(self._children) and all(answer["ready"] for answer in answers.values())
        whole["drained"] = all(answer["drained"] for answer in answers.values())
        whole["processes"] = [self._state(child, answers.get(child.number, {})) for child in self._children]
        for name in ("node", "pid"):
            del whole[name]
        return whole

    async def drain(self, drained: bool, announced: bool) -> None:
        """Have all refuse uploads, accept them again, or announce it. Raises CommandFailed if one doesn't answer."""
        answered = await self._each(lambda config: control.ask_drain(config, drained=drained, announced=announced))
        if missing := [str(child.number) for child in self._children if child.number not in answered]:
            raise CommandFailed(f"Process {', '.join(missing)} doesn't answer. Run the command again in a moment.")

    async def metrics(self) -> str:
        """Those of all that answer."""
        return await asyncio.to_thread(merged, await self._each(control.ask_metrics))

    async def _expire(self, *, clock_confirmed: bool) -> int:
        return await self._any_of_all(lambda config: control.ask_expire(config, clock_confirmed=clock_confirmed))

    async def _each(self, ask: Callable[[Config], Awaitable[Result]]) -> dict[int, Result]:
        """The answers of the processes that answer, by number."""
        asked = (ask(child.config) for child in self._children)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = {}
        for child, answer in zip(self._children, answers, strict=True):
            if isinstance(answer, ApplianceError):
                log.info("process %d doesn't answer: %s", child.number, answer.detail)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[child.number] = answer
        return found

    async def _any_of_all(self, ask: Callable[[Config], Awaitable[Result]]) -> Result:
        """The answer of the first process that runs. Raises CommandFailed, also what that one says."""
        for child in self._children:
            try:
                return await ask(child.config)
            except ServerNotRunning:
                continue
        raise CommandFailed(STARTING)

    @staticmethod
    def _state(child: ServerChild, answer: Mapping[str, Any]) -> dict[str, object]:
        known = {name: answer[name] for name in OF_EACH if name in answer}
        return {"process": child.number, "pid": child.pid, "ready": False, "starts": child.starts} | known
