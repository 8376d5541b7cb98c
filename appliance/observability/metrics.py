"""All metrics, by name. The numbers live in the registry that is passed in; nothing here is global."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

_REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_MAKING_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 20, 60)
_PYRAMID_BUCKETS_S = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_SHIP_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class FollowedCounter(Collector):
    """A counter that is counted elsewhere. `read` returns its values by label, whenever the metrics are scraped."""

    def __init__(self, name: str, words: str, label: str) -> None:
        self._name = name
        self._words = words
        self._labelnames = (label,)  # the name that the library's own metrics have for it
        self.read: Callable[[], Mapping[str, float]] = dict

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._words, labels=self._labelnames)
        for value, total in self.read().items():
            family.add_metric([value], total)
        yield family


def metrics_text(registry: CollectorRegistry) -> str:
    """All of a registry's metrics, as Prometheus reads them."""
    return generate_latest(registry).decode()


class Metrics:
    """Every metric of the appliance. Build one for each server; two may not share a registry.

    Labels are few and bounded: `route` is a route's pattern, never a path; `status` is a class such as `2xx`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._watch_requests()
        self._watch_uploads()
        self._watch_renditions()
        self._watch_shipping()
        self._watch_jobs()
        self._watch_purges()
        self._watch_backups()

    async def text(self) -> str:
        """All of them, as Prometheus reads them."""
        return await asyncio.to_thread(metrics_text, self.registry)

    def _watch_requests(self) -> None:
        self.requests = self._counter("requests", "Requests answered.", "route", "method", "status")
        self.request_seconds = self._histogram(
            "request_seconds",
            "Time from the first line of a request to the end of its response.",
            _REQUEST_BUCKETS_S,
            "route",
            "method",
        )
        self.requests_in_flight = self._gauge("in_flight_requests", "Requests in progress.")

        self.limited = self._counter("limited", "Refusals by a limit on clients, by the limit's setting.", "limit")
        self.banned = self._counter("banned", "Requests refused because the network or access key is banned.")
        self.limited_clients = self._gauge(
            "limited_clients", "Networks and access keys that a limit refused something in the last minute."
        )

    def _watch_uploads(self) -> None:
        self.uploads = self._counter("uploads", "Uploads by outcome: accepted, or the error code.", "outcome")
        self.upload_bytes = self._counter("upload_bytes", "Bytes of accepted uploads.")
        self.spool_bytes = self._gauge("spool_bytes", "Bytes in the spool, including local copies of stored originals.")
        self.disk_free_bytes = self._gauge("disk_free_bytes", "Free bytes on the data directory's filesystem.")

    def _watch_renditions(self) -> None:
        self.renditions = self._counter("renditions", "Renditions made.", "preset", "format")
        self.rendition_seconds = self._histogram(
            "rendition_seconds", "Time to render an order of renditions.", _MAKING_BUCKETS_S, "priority"
        )
        self.became_original_only = self._counter(
            "became_original_only",
            "Images whose sizes turned out after the upload to be impossible: `pixels` can't be decoded, or `slow`.",
            "reason",
        )
        self.cache_lookups = self._counter(
            "cache_lookups", "Rendition lookups by result: memory, disk or miss.", "layer"
        )
        self.tile_lookups = self._counter(
            "tile_lookups", "Tile and region lookups by result: memory, disk or miss.", "layer"
        )
        self.pyramid_seconds = self._histogram("pyramid_seconds", "Time to build a pyramid.", _PYRAMID_BUCKETS_S)
        self.queue_jobs = self._gauge("queue_jobs", "Jobs waiting for a worker.")
        self.queue_wait_seconds = self._gauge(
            "queue_wait_seconds",
            "How long a view of a new client would wait for a worker. From 2 s on views are refused.",
        )
        self.shed_views = self._counter("shed_views", "Views refused because the host had too much to do.")
        self.busy_workers = self._gauge("busy_workers", "Busy workers.")
        self.worker_cpu_seconds = self._followed_counter("worker_cpu_seconds", "CPU time of workers, by lane.", "lane")
        self.idle_waiting_jobs = self._gauge(
            "idle_waiting_jobs", "Renditions that are made once the host is idle, unless it restarts before."
        )
        self.idle_running_jobs = self._gauge(
            "idle_running_jobs", "Renditions that are being made because the host is idle."
        )
        self.worker_deaths = self._counter(
            "worker_deaths", "Workers that crashed or were killed during a job.", "reason"
        )

    def _watch_shipping(self) -> None:
        self.ship_seconds = self._histogram(
            "ship_seconds", "Time from accepting an upload until it is in the store.", _SHIP_BUCKETS_S
        )
        self.ship_lag_seconds = self._gauge("ship_lag_seconds", "Age of the oldest image that is not in the store yet.")
        self.shipped = self._counter("shipped", "Originals shipped to the store.")
        self.ship_failures = self._counter("ship_failures", "Failed attempts to ship an original to the store.")
        self.store_faults = self._counter(
            "store_faults",
            "Failed operations of the object store, and objects missing from it.",
            "operation",
        )
        self.lost_originals = self._counter("lost_originals", "Originals that are in neither the spool nor the store.")
        self.waiting_segments = self._gauge(
            "waiting_segments",
            "Segments of unfinished uploads that this node has yet to write to the store.",
        )
        self.store_up = self._gauge("store_up", "Whether the object store is working (1) or failing (0).")

    def _watch_jobs(self) -> None:
        self.expired = self._counter("expired", "Images that expired.")
        self.deleted = self._counter("deleted", "Images that were deleted by a person.")
        self.erased = self._counter("erased", "Images erased from the store.")
        self.job_runs = self._counter("job_runs", "Runs of background jobs.", "job", "outcome")

    def _watch_purges(self) -> None:
        self.purged = self._counter("purged_tags", "Tags confirmed as purged by shared caches.")
        self.purge_failures = self._counter("purge_failures", "Purge calls that shared caches did not confirm.")
        self.purge_waiting_tags = self._gauge("purge_waiting_tags", "Tags waiting to be purged.")
        self.purge_lag_seconds = self._gauge("purge_lag_seconds", "How long the oldest of these tags has been waiting.")

    def _watch_backups(self) -> None:
        self.backup_seconds = self._gauge(
            "backup_timestamp_seconds",
            "Time of the newest backup that is in every place; 0 for none, NaN at a node that makes none.",
        )
        self.verified_seconds = self._gauge(
            "backup_verified_timestamp_seconds",
            "Time of the last verification of backups; 0 for never, NaN at a node that makes none.",
        )
        self.backup_up = self._gauge("backup_up", "Whether the last verification succeeded (1) or not (0).")

    def request_done(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request. `status` is the HTTP status, 100 to 599."""
        self.requests.labels(route, method, f"{status // 100}xx").inc()
        self.request_seconds.labels(route, method).observe(seconds)

    def worker_died(self, reason: str) -> None:
        """Count a worker that crashed or was killed during a job."""
        self.worker_deaths.labels(reason).inc()

    def follow(self, gauge: Gauge, read: Callable[[], float]) -> None:
        """Have `gauge` show what `read` returns whenever the metrics are scraped."""
        gauge.set_function(read)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"appliance_{name}", words, labels, registry=self.registry)

    def _followed_counter(self, name: str, words: str, label: str) -> FollowedCounter:
        counter = FollowedCounter(f"appliance_{name}", words, label)
        self.registry.register(counter)
        return counter

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"appliance_{name}", words, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"appliance_{name}", words, labels, buckets=buckets, registry=self.registry)
