"""What is counted and measured, by name. The numbers live in the registry that is passed in; nothing here is global."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_MAKING_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 20, 60)
_PYRAMID_BUCKETS_S = (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_SHIP_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


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

    def _watch_requests(self) -> None:
        self.requests = self._counter("requests", "Requests answered.", "route", "method", "status")
        self.request_seconds = self._histogram(
            "request_seconds",
            "Time from a request's first line to its answer's end.",
            _REQUEST_BUCKETS_S,
            "route",
            "method",
        )
        self.requests_in_flight = self._gauge("in_flight_requests", "Requests being answered just now.")

    def _watch_uploads(self) -> None:
        self.uploads = self._counter(
            "uploads", "Uploads by outcome: accepted, or the code of their refusal.", "outcome"
        )
        self.upload_bytes = self._counter("upload_bytes", "Bytes of accepted uploads.")
        self.spool_bytes = self._gauge("spool_bytes", "Bytes in the spool, near copies of stored originals included.")
        self.disk_free_bytes = self._gauge("disk_free_bytes", "Free bytes on the data directory's filesystem.")

    def _watch_renditions(self) -> None:
        self.renditions = self._counter("renditions", "Renditions made.", "preset", "format")
        self.rendition_seconds = self._histogram(
            "rendition_seconds", "Time from an order for renditions to its end.", _MAKING_BUCKETS_S, "priority"
        )
        self.cache_lookups = self._counter(
            "cache_lookups", "Look-ups of renditions by what answered: memory, disk, or nothing (miss).", "layer"
        )
        self.tile_lookups = self._counter(
            "tile_lookups", "Look-ups of tiles and other regions by what answered: memory, disk, or nothing.", "layer"
        )
        self.pyramid_seconds = self._histogram(
            "pyramid_seconds", "Time from an order for a pyramid to its end.", _PYRAMID_BUCKETS_S
        )
        self.queue_jobs = self._gauge("queue_jobs", "Jobs that wait for a worker.")
        self.busy_workers = self._gauge("busy_workers", "Workers with a job.")
        self.worker_deaths = self._counter("worker_deaths", "Workers that died or were killed in a job.", "reason")

    def _watch_shipping(self) -> None:
        self.ship_seconds = self._histogram(
            "ship_seconds", "Time from an upload's acceptance until the store has it.", _SHIP_BUCKETS_S
        )
        self.ship_lag_seconds = self._gauge("ship_lag_seconds", "Age of the oldest image that the store has not yet.")
        self.shipped = self._counter("shipped", "Originals brought to the store.")
        self.ship_failures = self._counter("ship_failures", "Tries to bring an original to the store that failed.")
        self.store_faults = self._counter(
            "store_faults",
            "Operations that the object store failed, and objects it should have (missing).",
            "operation",
        )
        self.lost_originals = self._counter("lost_originals", "Originals that neither spool nor store has any more.")
        self.store_up = self._gauge("store_up", "Whether the object store serves (1) or has a fault (0).")

    def _watch_jobs(self) -> None:
        self.expired = self._counter("expired", "Images that came to their expiry.")
        self.deleted = self._counter("deleted", "Images that a person deleted.")
        self.erased = self._counter("erased", "Images whose bytes are gone from the store.")
        self.job_runs = self._counter("job_runs", "Runs of background jobs.", "job", "outcome")

    def _watch_purges(self) -> None:
        self.purged = self._counter("purged_tags", "Tags that shared caches confirmed to have forgotten.")
        self.purge_failures = self._counter("purge_failures", "Calls to shared caches that were not confirmed.")
        self.purge_waiting_tags = self._gauge("purge_waiting_tags", "Tags that shared caches have to forget now.")
        self.purge_lag_seconds = self._gauge("purge_lag_seconds", "How long the oldest of those tags has waited.")

    def _watch_backups(self) -> None:
        self.backup_seconds = self._gauge(
            "backup_timestamp_seconds", "When the newest backup that is in every place was made; 0 for none."
        )
        self.verified_seconds = self._gauge(
            "backup_verified_timestamp_seconds", "When backups were last opened and compared; 0 for never."
        )
        self.backup_up = self._gauge("backup_up", "Whether they were then as they should be (1) or not (0).")

    def request_done(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts one answered request. `status` is the HTTP status, 100 to 599."""
        self.requests.labels(route, method, f"{status // 100}xx").inc()
        self.request_seconds.labels(route, method).observe(seconds)

    def follow(self, gauge: Gauge, read: Callable[[], float]) -> None:
        """Lets `gauge` show what `read` returns whenever the metrics are scraped."""
        gauge.set_function(read)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"appliance_{name}", words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"appliance_{name}", words, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"appliance_{name}", words, labels, buckets=buckets, registry=self.registry)
