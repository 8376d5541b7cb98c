"""Which background jobs the server runs, and how often."""

from appliance.container import Container
from appliance.lifecycle.jobs import Job, Jobs

HOUR_S = 3600
BAN_LIST_S = 5
"""How long a ban that was made on another node may take to hold on this one."""
FOLLOW_S = 5
"""How long this node may keep what it has of an image that another one erased or revised."""
REPORT_S = 2
"""How long the other nodes may not know what a client used at this one."""
RESCUE_S = 30
"""How often the store is searched for large originals of lost nodes."""
SAVE_BUDGETS_S = 5
"""What clients used of their day in this time is forgotten in a crash."""


def background_jobs(container: Container) -> Jobs:
    """The jobs, with their intervals in seconds. They start with `Jobs.start`.

    What is about rows and the store is done for all nodes by one of them; each looks after its spool, its uploads and
    its memory.
    """
    sweep_s = 24 * HOUR_S if container.membership is None else HOUR_S  # alone it writes no segments
    return Jobs(
        [
            *_node_jobs(container),
            Job("ship", 10, container.shipper.check_and_enqueue),
            Job("ended-originals", 10, container.ended_originals.run),
            Job("sidecars", 15, container.image_lifecycle.sync_records, for_all=True),
            Job("tombstones", 15, container.tombstones.settle_due, for_all=True),
            Job("access-records", 15, container.access_records.settle_due, for_all=True),
            Job("album-records", 15, container.album_lifecycle.sync_records, for_all=True),
            Job("day-budgets", SAVE_BUDGETS_S, container.limits.day_budgets.save),
            Job("album-expiry", 60, container.album_lifecycle.end, for_all=True),
            Job("album-erasing", 10, container.album_lifecycle.erase, for_all=True),
            Job("album-forgetting", HOUR_S, container.album_lifecycle.forget, for_all=True),
            Job("expiry", 60, container.image_lifecycle.end, for_all=True),
            Job("offline-service", 60, container.prewarmer.prewarm_batch, for_all=True),
            Job("erasing", 10, container.image_lifecycle.erase, for_all=True),
            Job("spool-sweep", 600, container.sweeps.spool),
            Job("resumable-uploads", 60, container.upload_janitor.run),
            Job("segment-sweep", sweep_s, container.segment_sweep.run, for_all=True),
            Job("upload-sweep", 600, container.sweeps.uploads),
            Job("ban-forgetting", HOUR_S, container.bans.forget, for_all=True),
            Job("forgetting", HOUR_S, container.image_lifecycle.forget, for_all=True),
            Job("store-forgetting", 24 * HOUR_S, container.sweeps.stored_tombstones, for_all=True),
            Job("orphan-report", 24 * HOUR_S, container.sweeps.orphans, for_all=True),
        ],
        container.metrics,
        container.membership,
    )


def _node_jobs(container: Container) -> list[Job]:
    """How a node follows what others changed, and what only nodes leave behind."""
    calls, rescue = container.calls, container.resumable.rescue
    if calls is None or rescue is None:
        return []
    limits, reports = container.limits, container.limits.usage_reports
    return [
        Job("usage-reports", REPORT_S, lambda: reports.send(calls.usage)),
        Job("machines", FOLLOW_S, lambda: limits.follow_machines(calls.usage)),
        Job("ban-list", BAN_LIST_S, container.bans.load),
        Job("erasures", FOLLOW_S, container.erasures.run),
        Job("revisions", FOLLOW_S, container.revisions.run),
        Job("rescue", RESCUE_S, rescue.run, for_all=True),
    ]
