"""How the parts are doing: gauges for Prometheus."""

import math
import os

from appliance.backups.last_results import read_results
from appliance.container import Container


def connect_gauges(container: Container) -> None:
    """Connect the gauges to the parts, which are read when the metrics are."""
    metrics, workers = container.metrics, container.workers
    metrics.follow(metrics.requests_in_flight, lambda: container.health.in_flight)
    metrics.follow(metrics.spool_bytes, lambda: container.spool.copies_bytes + container.spool.landed_bytes())
    metrics.follow(metrics.disk_free_bytes, lambda: free_bytes(container))
    metrics.follow(metrics.queue_jobs, lambda: sum(workers.waiting.values()))
    metrics.follow(metrics.queue_wait_seconds, lambda: workers.wait_s)
    metrics.follow(metrics.busy_workers, lambda: sum(workers.busy.values()))
    metrics.worker_cpu_seconds.read = lambda: workers.cpu_s
    metrics.follow(metrics.idle_waiting_jobs, lambda: container.delivery.idle_renderer.waiting)
    metrics.follow(metrics.idle_running_jobs, lambda: container.delivery.idle_renderer.running)
    metrics.follow(metrics.ship_lag_seconds, lambda: container.shipper.lag_s)
    metrics.follow(metrics.waiting_segments, lambda: container.resumable.waiting_segments)
    metrics.follow(metrics.limited_clients, lambda: container.limits.refusals.at_limit)
    metrics.follow(metrics.purge_waiting_tags, lambda: container.purger.waiting_tags)
    metrics.follow(metrics.purge_lag_seconds, lambda: container.purger.lag_s)
    metrics.follow(metrics.backup_seconds, lambda: _noted_time(container, "backup_s"))
    metrics.follow(metrics.verified_seconds, lambda: _noted_time(container, "verified_s"))
    metrics.follow(metrics.backup_up, lambda: _noted(container, "verified"))


def _noted(container: Container, name: str) -> float:
    """What the last backup or verification noted; they run in processes of their own."""
    value = read_results(container.config.backups_dir).get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _noted_time(container: Container, name: str) -> float:
    """In unix seconds. Of a node that noted none it is no number, since another one may back up for all."""
    return _noted(container, name) or (math.nan if container.config.is_node else 0.0)


def free_bytes(container: Container) -> int:
    disk = os.statvfs(container.config.data_dir)
    return disk.f_bavail * disk.f_frsize
