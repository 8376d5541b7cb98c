"""The parts by which a server is one of several, None where it is alone, and what it ships before it leaves."""

import time

from appliance.catalogue import Catalogue
from appliance.config.model import Config
from appliance.domain.clock import Clock
from appliance.domain.this_node import ThisNode
from appliance.lifecycle.ended_originals import EndedOriginals
from appliance.lifecycle.shipping import Shipper
from appliance.membership import Membership
from appliance.nodes.calls import Calls
from appliance.objectstore.observed import ObservedStore
from appliance.resumable.among_nodes import AmongNodes
from appliance.spool import Spool
from appliance.uploads.drain_switch import DrainSwitch


def calls_of(config: Config, catalogue: Catalogue, spool: Spool, membership: Membership | None) -> Calls | None:
    """What this node asks of the others."""
    if membership is None:
        return None
    name, secret = membership.node.name, config.node.secret or ""
    return Calls.of(name, secret, rows=catalogue.nodes, pulse=membership.pulse, spool=spool, clock=time.time)


def ended_originals_of(
    catalogue: Catalogue, spool: Spool, shipper: Shipper, drain_switch: DrainSwitch, this_node: ThisNode
) -> EndedOriginals:
    """What a server that leaves ships besides what lives."""
    return EndedOriginals(
        catalogue=catalogue,
        spool=spool,
        shipper=shipper,
        this_node=this_node,
        is_drained=lambda: drain_switch.drained,
    )


def among_nodes_of(  # noqa: PLR0917 - one of each part
    config: Config,
    catalogue: Catalogue,
    store: ObservedStore,
    spool: Spool,
    calls: Calls | None,
    membership: Membership | None,
    clock: Clock,
) -> AmongNodes | None:
    """What resumable uploads need of the other nodes and the store."""
    if calls is None or membership is None:
        return None
    return AmongNodes.of(
        calls,
        since_s=membership.since_s,
        segment_bytes=config.node.segment_bytes,
        store=store,
        spool=spool,
        catalogue=catalogue,
        clock=clock,
    )
