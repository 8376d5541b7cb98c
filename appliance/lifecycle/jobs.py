"""Background jobs: what runs when. Each is driven by rows, idempotent, never two of a kind at once."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from appliance.errors import ApplianceError
from appliance.metrics import Metrics

MISFIRE_GRACE_S = 3600  # APScheduler's default of one second would drop runs on a busy loop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A named background job and its pace in seconds."""

    name: str
    every_s: int
    run: Callable[[], Awaitable[int | None]]


class Jobs:
    """Runs jobs on APScheduler; a job that fails is logged and runs again at its next time."""

    def __init__(self, jobs: list[Job], metrics: Metrics) -> None:
        self._metrics = metrics
        self._scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": MISFIRE_GRACE_S, "coalesce": True, "max_instances": 1}
        )
        for job in jobs:
            self._scheduler.add_job(
                self._run, "interval", [job], seconds=job.every_s, id=job.name, jitter=job.every_s // 20
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """No new runs; those under way are ended by their tasks."""
        self._scheduler.shutdown(wait=False)

    async def _run(self, job: Job) -> None:
        try:
            await job.run()
        except ApplianceError as fault:
            log.warning("job %s: %s", job.name, fault.detail)
            self._metrics.job_runs.labels(job.name, fault.code).inc()
        except Exception:
            log.exception("job %s failed", job.name)
            self._metrics.job_runs.labels(job.name, "internal-error").inc()
        else:
            self._metrics.job_runs.labels(job.name, "done").inc()
