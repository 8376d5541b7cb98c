"""The container: every part of the server, for those who start, watch and serve them."""

import logging
from dataclasses import dataclass

from appliance.access.bans import Bans
from appliance.access.keys import AccessKeys
from appliance.access.uploaders import Uploaders
from appliance.albums import Albums
from appliance.albums.invites import Invites
from appliance.cache import Cache, Caches
from appliance.catalogue import Catalogue
from appliance.config.model import Config
from appliance.delivery import Delivery
from appliance.delivery.tiles import Tiles
from appliance.domain.clock import Clock
from appliance.domain.model import Album, Image
from appliance.domain.this_node import ThisNode
from appliance.health.health import Health
from appliance.http.forwarding_watch import ForwardingWatch
from appliance.lifecycle.access_records import StoredAccessRecords
from appliance.lifecycle.awaited_originals import AwaitedOriginals
from appliance.lifecycle.claims import Claims
from appliance.lifecycle.clock_guard import ClockGuard
from appliance.lifecycle.ended_originals import EndedOriginals
from appliance.lifecycle.followers import ErasureFollower, RevisionFollower
from appliance.lifecycle.images import ImageLifecycleRows
from appliance.lifecycle.management import Management
from appliance.lifecycle.one_view import OneViews
from appliance.lifecycle.prewarming import Prewarmer
from appliance.lifecycle.prompt_writes import PromptWrites
from appliance.lifecycle.purging import Purger
from appliance.lifecycle.service import Lifecycle
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.sweeps import Sweeps
from appliance.lifecycle.tombstones import StoredTombstones
from appliance.limits import Limits
from appliance.locks import Locksmith
from appliance.membership import Membership
from appliance.nodes.calls import Calls
from appliance.objectstore import ObjectStore
from appliance.observability.metrics import Metrics
from appliance.reinspection.service import Reinspector
from appliance.resumable import ResumableUploads
from appliance.resumable.janitor import UploadJanitor
from appliance.resumable.segment_sweep import SegmentSweep
from appliance.spool import Spool
from appliance.uploads.admission import Admission
from appliance.uploads.committer import Committer
from appliance.uploads.drain_switch import DrainSwitch
from appliance.uploads.ingest import Ingest
from appliance.workers import Workers

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Container:
    """Every part of the server."""

    config: Config
    clock: Clock
    clock_guard: ClockGuard
    metrics: Metrics
    health: Health
    drain_switch: DrainSwitch
    catalogue: Catalogue
    store: ObjectStore
    spool: Spool
    caches: Caches
    workers: Workers
    sidecars: Sidecars
    shipper: Shipper
    awaited_originals: AwaitedOriginals
    ended_originals: EndedOriginals
    delivery: Delivery
    tiles: Tiles
    admission: Admission
    committer: Committer
    ingest: Ingest
    resumable: ResumableUploads
    upload_janitor: UploadJanitor
    segment_sweep: SegmentSweep
    management: Management
    image_rows: ImageLifecycleRows
    image_lifecycle: Lifecycle[Image]
    album_lifecycle: Lifecycle[Album]
    prompt_writes: PromptWrites
    tombstones: StoredTombstones
    access_records: StoredAccessRecords
    access_keys: AccessKeys
    bans: Bans
    uploaders: Uploaders
    sweeps: Sweeps
    prewarmer: Prewarmer
    purger: Purger
    albums: Albums
    locksmith: Locksmith
    one_views: OneViews
    invites: Invites
    reinspector: Reinspector
    membership: Membership | None
    erasures: ErasureFollower
    revisions: RevisionFollower
    limits: Limits
    forwarding_watch: ForwardingWatch
    this_node: ThisNode
    claims: Claims
    calls: Calls | None
    """What talks to other nodes; None for a server that is alone."""

    @property
    def cache(self) -> Cache:
        """The renditions alone."""
        return self.caches.renditions

    def drain(self, drained: bool, announced: bool = False) -> None:
        """Refuse uploads from now on, or accept them again: for good, or `announced` until they are refused."""
        self.drain_switch.drained, self.drain_switch.announced = drained, announced
        accepting = "draining soon: /readyz says so" if announced else "uploads are accepted again"
        log.warning("draining: uploads are refused" if drained else accepting)
