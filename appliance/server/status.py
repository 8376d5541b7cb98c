"""What the parts show of themselves: gauges for Prometheus, status for the terminal."""

import os
import time
from collections.abc import Mapping

from appliance import __version__
from appliance.backups.last_results import read_results
from appliance.container import Appliance

MOST_COUNTED = 10_000


def watch(appliance: Appliance) -> None:
    """Connect the gauges to the parts; they are read when somebody asks."""
    metrics, workers = appliance.metrics, appliance.workers
    metrics.follow(metrics.requests_in_flight, lambda: appliance.health.in_flight)
    metrics.follow(metrics.spool_bytes, lambda: appliance.spool.copies_bytes + appliance.spool.landed_bytes())
    metrics.follow(metrics.disk_free_bytes, lambda: free_bytes(appliance))
    metrics.follow(metrics.queue_jobs, lambda: sum(workers.waiting.values()))
    metrics.follow(metrics.busy_workers, lambda: sum(workers.busy.values()))
    metrics.follow(metrics.ship_lag_seconds, lambda: appliance.shipper.lag_s)
    metrics.follow(metrics.purge_waiting_tags, lambda: appliance.purger.waiting_tags)
    metrics.follow(metrics.purge_lag_seconds, lambda: appliance.purger.lag_s)
    metrics.follow(metrics.backup_seconds, lambda: _noted(appliance, "backup_s"))
    metrics.follow(metrics.verified_seconds, lambda: _noted(appliance, "verified_s"))
    metrics.follow(metrics.backup_up, lambda: _noted(appliance, "verified"))


def _noted(appliance: Appliance, name: str) -> float:
    """What the last backup or verification left word of; they are processes of their own."""
    value = read_results(appliance.config.backups_dir).get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def free_bytes(appliance: Appliance) -> int:
    disk = os.statvfs(appliance.config.data_dir)
    return disk.f_bavail * disk.f_frsize


async def status(appliance: Appliance) -> Mapping[str, object]:
    """Plain values for people and for `doctor`."""
    ready, report = appliance.health.report()
    backlog = await appliance.catalogue.images.backlog()
    albums = await appliance.catalogue.albums.sidecars_due()
    return report | {
        "version": __version__,
        "ready": ready,
        "listen": appliance.config.server.listen,
        "store": appliance.shipper.store_fault or "ok",
        "time": time.time(),
        "in_flight": appliance.health.in_flight,
        "waiting_for_the_store": max(appliance.shipper.backlog, backlog.unshipped),
        "changes_waiting_for_the_store": backlog.sidecars_due + len(albums),
        "drained": appliance.drain_switch.drained,
        "uploads_arriving": appliance.admission.in_progress,
        "uploads_unfinished": await appliance.catalogue.uploads.count_unfinished(int(appliance.clock()), MOST_COUNTED),
        "worker_protections": list(appliance.workers.protections),
        "waiting_to_be_purged": appliance.purger.waiting_tags,
    }
