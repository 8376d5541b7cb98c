"""Which background jobs the server runs, and how often."""

from appliance.container import Container
from appliance.lifecycle.jobs import Job, Jobs

HOUR_S = 3600
SAVE_BUDGETS_S = 5
"""What clients used of their day in this time is forgotten in a crash."""


def background_jobs(container: Container) -> Jobs:
    """The jobs, with their intervals in seconds. They start with `Jobs.start`."""
    return Jobs(
        [
            Job("ship", 10, container.shipper.check_and_enqueue),
            Job("sidecars", 15, container.image_lifecycle.sync_records),
            Job("tombstones", 15, container.tombstones.settle_due),
            Job("access-records", 15, container.access_records.settle_due),
            Job("album-records", 15, container.album_lifecycle.sync_records),
            Job("day-budgets", SAVE_BUDGETS_S, container.limits.day_budgets.save),
            Job("album-expiry", 60, container.album_lifecycle.end),
            Job("album-erasing", 10, container.album_lifecycle.erase),
            Job("album-forgetting", HOUR_S, container.album_lifecycle.forget),
            Job("expiry", 60, container.image_lifecycle.end),
            Job("offline-service", 60, container.prewarmer.prewarm_batch),
            Job("erasing", 10, container.image_lifecycle.erase),
            Job("spool-sweep", 600, container.sweeps.spool),
            Job("resumable-uploads", 60, container.upload_janitor.run),
            Job("upload-sweep", 600, container.sweeps.uploads),
            Job("ban-forgetting", HOUR_S, container.bans.forget),
            Job("forgetting", HOUR_S, container.image_lifecycle.forget),
            Job("store-forgetting", 24 * HOUR_S, container.sweeps.stored_tombstones),
            Job("orphan-report", 24 * HOUR_S, container.sweeps.orphans),
        ],
        container.metrics,
    )
