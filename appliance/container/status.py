"""How the parts are doing, in plain values."""

import time
from collections.abc import Mapping

from appliance import __version__
from appliance.catalogue import COUNT_LIMIT, Backlog
from appliance.container.parts import Container

MAX_COUNTED = 10_000


async def status(container: Container) -> Mapping[str, object]:
    """Plain values, for `appliance status`, for `doctor`, and for access keys that operate."""
    ready, report = container.health.report()
    backlog = await container.catalogue.images.backlog()
    albums = await container.catalogue.albums.sidecars_due()
    tombstones = await container.catalogue.images.tombstones_due()
    records = await container.catalogue.records.due()
    own = {
        "version": __version__,
        "ready": ready,
        "listen": container.config.server.listen,
        "store": container.shipper.store_fault or "ok",
        "time": time.time(),
        "clock": container.clock_guard.fault or _clock_fault(container) or "ok",
        "in_flight": container.health.in_flight,
        "waiting_for_the_store": max(container.shipper.backlog, await _unshipped(container, backlog))
        + await container.ended_originals.count_waiting(),
        "changes_waiting_for_the_store": backlog.sidecars_due + len(albums) + len(tombstones) + len(records),
        "drained": container.drain_switch.drained,
        "uploads_arriving": container.admission.in_progress,
        "uploads_unfinished": await container.catalogue.uploads.count_unfinished(int(container.clock()), MAX_COUNTED),
        "worker_protections": list(container.workers.protections),
        "waiting_to_be_purged": container.purger.waiting_tags,
        "limits": container.limits.switch.state,
        "at_a_limit": container.limits.refusals.report(),
        "bans": container.bans.count,
        "untrusted_proxy": container.forwarding_watch.untrusted_proxy,
        "forwarding_strangers": container.forwarding_watch.forwarding_strangers,
    }
    return {**report, **own, **await _nodes(container)}


def _clock_fault(container: Container) -> str | None:
    return None if container.membership is None else container.membership.clock_fault


async def _unshipped(container: Container, backlog: Backlog) -> int:
    """How many originals only this server has."""
    if container.membership is None:
        return backlog.unshipped
    return (await container.catalogue.images.unshipped_by_node()).get(container.membership.node.name, 0)


async def _nodes(container: Container) -> Mapping[str, object]:
    """This node's name, and every node: whether it is alive, and what it alone has or does. Empty where it is alone."""
    if container.membership is None:
        return {}
    catalogue = container.catalogue
    leases, unshipped = await catalogue.nodes.leases(), await catalogue.images.unshipped_by_node()
    return {
        "node": container.membership.node.name,
        "segments_waiting_for_the_store": container.resumable.waiting_segments,
        "nodes": [
            {
                "name": node.name,
                "state": node.state,
                "seen_s_ago": node.silent_s,
                "version": node.version,
                "schema": node.schema,
                "url": node.url,
                "waiting_for_the_store": unshipped.get(node.name, 0),
                "at_least": unshipped.get(node.name, 0) >= COUNT_LIMIT,
                "leases": [lease.name for lease in leases if lease.node == node.name],
            }
            for node in await catalogue.nodes.nodes()
        ],
    }
