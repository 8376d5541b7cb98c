"""Background jobs: which run when. Each is driven by rows and idempotent, and no two of a kind run at once.

Among nodes that share a catalogue, a job is either about what its own node has, or is run by one node for all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from appliance.domain.errors import ApplianceError
from appliance.observability.metrics import Metrics

MISFIRE_GRACE_S = 3600  # APScheduler's default of one second would drop runs on a busy loop

FIRST_RUN_S, SPREAD_S = 60, 12  # so that slow jobs run soon after a start too, but not all at once

LOOK_EVERY_S = 30.0
"""How often a run for all looks whether it is still this node's. A lease lasts for ten minutes at least."""
MAX_RUN_S = 24 * 3600.0
"""A run for all that takes longer hangs, and is ended, so that another node can try."""

log = logging.getLogger(__name__)
scheduler_log = logging.getLogger(f"{__name__}.scheduler")


@dataclass(frozen=True, slots=True)
class Job:
    """A named background job, and its interval in seconds. One `for_all` nodes is run by one of them at a time."""

    name: str
    every_s: int
    run: Callable[[], Awaitable[object]]
    for_all: bool = False


class Turns(Protocol):
    """Which node runs the jobs for all."""

    async def may_run(self, job: str, every_s: int) -> bool:
        """Whether this node is to run the job, whose interval is given, or to continue it. The lease is renewed then.

        Raises the catalogue's faults.
        """

    async def pass_on(self, job: str) -> None:
        """Let another node try: the job failed here. Raises the catalogue's faults."""


class TurnLost(Exception):
    """It is no longer this node's turn to run the job."""


class Jobs:
    """Runs jobs on APScheduler's `scheduler`; a job that fails is logged and runs again next time."""

    def __init__(self, jobs: list[Job], metrics: Metrics, turns: Turns | None = None) -> None:
        self._metrics = metrics
        self._turns = turns
        self._first_s: dict[str, float] = {}
        scheduler_log.setLevel(logging.ERROR)  # it warns whenever a run takes longer than its interval
        self.scheduler = AsyncIOScheduler(
            logger=scheduler_log,
            job_defaults={"misfire_grace_time": MISFIRE_GRACE_S, "coalesce": True, "max_instances": 1},
        )
        for place, job in enumerate(jobs):
            self.scheduler.add_job(
                self._run, "interval", [job], seconds=job.every_s, id=job.name, jitter=job.every_s // 20
            )
            self._first_s[job.name] = min(job.every_s, FIRST_RUN_S + SPREAD_S * place)

    def start(self) -> None:
        now = datetime.now(UTC)
        for name, first_s in self._first_s.items():
            self.scheduler.modify_job(name, next_run_time=now + timedelta(seconds=first_s))
        self.scheduler.start()

    def first_runs(self) -> dict[str, float]:
        """When each job runs first, in seconds after the start."""
        return dict(self._first_s)

    def stop(self) -> None:
        """Start no more runs. Those in progress are ended by their tasks."""
        self.scheduler.shutdown(wait=False)

    async def _run(self, job: Job) -> None:
        turns = self._turns if job.for_all else None
        try:
            if turns is None or await turns.may_run(job.name, job.every_s):
                await self._run_here(job, turns)
        except ApplianceError as fault:
            self._note_fault(job, fault)

    async def _run_here(self, job: Job, turns: Turns | None) -> None:
        """Raises the catalogue's faults."""
        try:
            await (job.run() if turns is None else _run_in_turn(job, turns))
        except ApplianceError as fault:
            self._note_fault(job, fault)
        except TurnLost:
            log.warning("job %s was stopped: it is no longer this node's turn", job.name)
            self._metrics.job_runs.labels(job.name, "turn-lost").inc()
        except Exception:
            log.exception("job %s failed", job.name)
            self._metrics.job_runs.labels(job.name, "internal-error").inc()
        else:
            self._metrics.job_runs.labels(job.name, "done").inc()
            return
        if turns is not None:
            await turns.pass_on(job.name)

    def _note_fault(self, job: Job, fault: ApplianceError) -> None:
        log.warning("job %s: %s", job.name, fault.detail)
        self._metrics.job_runs.labels(job.name, fault.code).inc()


async def _run_in_turn(job: Job, turns: Turns) -> None:
    """Run the job for all nodes as long as it is this one's, however long that takes.

    While the catalogue doesn't say whose it is, the run continues: its own calls fail then.
    Raises TurnLost, once the run has ended early, and what the job raises.
    """
    running = asyncio.ensure_future(job.run())
    ends_at_s = asyncio.get_running_loop().time() + MAX_RUN_S
    try:
        while not (await asyncio.wait([running], timeout=LOOK_EVERY_S))[0]:
            if asyncio.get_running_loop().time() >= ends_at_s:
                raise TurnLost
            with contextlib.suppress(ApplianceError):
                if not await turns.may_run(job.name, job.every_s) and not running.done():
                    raise TurnLost
        running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
