"""The wiring: which part gets which others. Nothing is started here."""

from appliance.access.album_keys import AlbumKeys
from appliance.access.bans import Bans
from appliance.access.guests import Guests
from appliance.access.keys import AccessKeys
from appliance.access.uploaders import Uploaders
from appliance.albums import Albums
from appliance.albums.invites import Invites
from appliance.albums.lifecycle_rows import AlbumLifecycleRows
from appliance.cache import Caches
from appliance.catalogue import Catalogue
from appliance.cdn import shared_caches
from appliance.config.model import Config
from appliance.config.node_name import node_name
from appliance.container.node_parts import among_nodes_of, calls_of, ended_originals_of
from appliance.container.parts import Container
from appliance.delivery.building import build_delivery
from appliance.delivery.originals import Originals
from appliance.domain.clock import Clock
from appliance.domain.this_node import ThisNode
from appliance.health.checks import CatalogueCheck, DiskCheck, StoreCheck, WorkersCheck
from appliance.health.health import Health
from appliance.http.forwarding_watch import ForwardingWatch
from appliance.http.trusted_proxies import TrustedProxies
from appliance.lifecycle.access_records import StoredAccessRecords
from appliance.lifecycle.awaited_originals import AwaitedOriginals
from appliance.lifecycle.claims import Claims
from appliance.lifecycle.clock_guard import ClockGuard
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
from appliance.limits.challenges import Challenges
from appliance.limits.steady_clock import SteadyClock
from appliance.locks import Locksmith
from appliance.locks.guesses import Guesses
from appliance.membership import Membership
from appliance.objectstore import ObjectStore
from appliance.objectstore.observed import ObservedStore
from appliance.observability.metrics import Metrics
from appliance.reinspection.building import build_reinspector
from appliance.resumable import ResumableUploads, UnfinishedUploads
from appliance.resumable.janitor import UploadJanitor
from appliance.resumable.segment_sweep import SegmentSweep
from appliance.resumable.segments import Segments
from appliance.spool import Spool
from appliance.uploads.admission import Admission
from appliance.uploads.committer import Committer
from appliance.uploads.drain_switch import DrainSwitch
from appliance.uploads.idempotency import IdempotentCommitter
from appliance.uploads.ingest import Ingest
from appliance.uploads.proof_rule import ProofRule
from appliance.uploads.stalled_catalogue import StalledCatalogue
from appliance.uploads.upload_limits import UploadLimits
from appliance.workers import Workers


def build(  # noqa: PLR0917 - one of each part
    config: Config,
    clock: Clock,
    boot_clock: Clock,
    metrics: Metrics,
    catalogue: Catalogue,
    store: ObjectStore,
    spool: Spool,
    caches: Caches,
    workers: Workers,
    membership: Membership | None = None,
) -> Container:
    """Every part around the given ones, which the caller starts and stops."""
    calls = calls_of(config, catalogue, spool, membership)
    this_node = ThisNode(node_name(config.node) if config.is_node else None)
    drain_switch = DrainSwitch()
    sidecars = Sidecars(config.sidecars_dir)
    observed = ObservedStore(store, metrics)
    shipper = Shipper(
        catalogue=catalogue.images,
        spool=spool,
        sidecars=sidecars,
        store=observed,
        this_node=this_node,
        metrics=metrics,
        clock=clock,
    )
    limits = Limits.of(config, rows=catalogue.day_budgets, metrics=metrics, clock=clock)
    steady_clock = SteadyClock(clock)
    locksmith = Locksmith(
        clock,
        guesses=Guesses(steady_clock, aside=limits.aside, refusals=limits.refusals),
        challenges=Challenges(
            config.limits.proof_of_work_cost, clock=steady_clock, secret=config.node_key("challenges of guesses")
        ),
    )
    originals = Originals(
        spool=spool,
        store=observed,
        catalogue=catalogue.images,
        neighbours=None if calls is None else calls.originals,
        this_node=this_node,
        metrics=metrics,
    )
    delivery, tiles = build_delivery(
        config, clock, metrics, catalogue.images, caches, workers, originals, limits.processor
    )
    unfinished = UnfinishedUploads(
        config.uploads.max_unfinished, rows=catalogue.uploads, sealed_addresses=limits.sealed_addresses, clock=clock
    )
    prompt_writes = PromptWrites(observed, config.uploads.ack_budget_s)
    access_records = StoredAccessRecords(outbox=catalogue.records, store=observed, prompt_writes=prompt_writes)
    access_keys = AccessKeys(catalogue.keys, clock=clock, tell_store=access_records.settle_now)
    uploaders = Uploaders(config.access, keys=access_keys, clock=clock)
    bans = Bans(
        catalogue.bans,
        keys=catalogue.keys,
        trusted_proxies=config.server.trusted_proxies,
        clock=clock,
        tell_store=access_records.settle_now,
    )
    album_keys = AlbumKeys(catalogue.keys, bans=bans, clock=clock)
    admission = Admission(
        config.uploads,
        drain_switch=drain_switch,
        upload_limits=UploadLimits(limits),
        spool=spool,
        require_not_banned=bans.require_may_upload,
        rules=[
            StalledCatalogue(catalogue),
            uploaders,
            ProofRule(limits.proof_of_work),
            Guests(config.albums, catalogue=catalogue, album_keys=album_keys, clock=clock),
            unfinished,
        ],
    )
    awaited = AwaitedOriginals(spool=spool, shipper=shipper)
    committer = Committer(
        config.uploads,
        spool=spool,
        workers=workers,
        catalogue=catalogue,
        shipper=shipper,
        awaited=awaited,
        delivery=delivery,
        locksmith=locksmith,
        this_node=this_node,
        require_not_banned=bans.require_may_upload,
        priority_of=limits.proof_of_work.priority_of,
        clock=clock,
        max_album_images=config.albums.max_images,
    )
    ingest = Ingest(
        admission=admission,
        committer=committer,
        idempotent=IdempotentCommitter(
            committer,
            catalogue=catalogue,
            originals=originals,
            spool=spool,
            locksmith=locksmith,
            repeats=limits.repeats,
            clock=clock,
        ),
        spool=spool,
        metrics=metrics,
        clock=clock,
    )
    resumable = ResumableUploads(
        config.uploads,
        catalogue=catalogue,
        spool=spool,
        admission=admission,
        unfinished=unfinished,
        committer=committer,
        locksmith=locksmith,
        this_node=this_node,
        among_nodes=among_nodes_of(config, catalogue, observed, spool, calls, membership, clock),
        metrics=metrics,
        clock=clock,
    )
    tombstones = StoredTombstones(catalogue=catalogue.images, store=observed, prompt_writes=prompt_writes)
    guard = ClockGuard(catalogue.images, catalogue.notes, clock, boot_clock)
    image_rows = ImageLifecycleRows(
        catalogue=catalogue.images,
        idempotency=catalogue.idempotency,
        cache=caches,
        spool=spool,
        sidecars=sidecars,
        tombstones=tombstones,
        store=observed,
        shipper=shipper,
        metrics=metrics,
    )
    image_lifecycle = Lifecycle(image_rows, store=observed, guard=guard)
    album_rows = AlbumLifecycleRows(catalogue=catalogue.albums, store=observed)
    album_lifecycle = Lifecycle(album_rows, store=observed, guard=guard)
    albums = Albums(
        config,
        admission=admission,
        catalogue=catalogue,
        lifecycle=album_lifecycle,
        prompt_writes=prompt_writes,
        locksmith=locksmith,
        clock=clock,
    )
    return Container(
        config=config,
        clock=clock,
        clock_guard=guard,
        metrics=metrics,
        health=Health(
            drain_switch,
            essential=[CatalogueCheck(catalogue), WorkersCheck(workers)],
            helpful=[StoreCheck(shipper), DiskCheck(spool)],
        ),
        drain_switch=drain_switch,
        catalogue=catalogue,
        store=store,
        spool=spool,
        caches=caches,
        workers=workers,
        sidecars=sidecars,
        shipper=shipper,
        awaited_originals=awaited,
        ended_originals=ended_originals_of(catalogue, spool, shipper, drain_switch, this_node),
        delivery=delivery,
        tiles=tiles,
        admission=admission,
        committer=committer,
        ingest=ingest,
        resumable=resumable,
        upload_janitor=UploadJanitor(
            resumable=resumable, catalogue=catalogue, spool=spool, this_node=this_node, clock=guard.cautious_now_s
        ),
        segment_sweep=SegmentSweep(
            Segments(observed, spool), catalogue=catalogue, this_node=this_node, clock=guard.cautious_now_s
        ),
        management=Management(
            config.uploads,
            config.deletion,
            catalogue=catalogue.images,
            keys=catalogue.keys,
            cache=caches,
            sidecars=sidecars,
            tombstones=tombstones,
            locksmith=locksmith,
            lifecycle=image_lifecycle,
            prompt_writes=prompt_writes,
            access_records=access_records,
            metrics=metrics,
            clock=clock,
        ),
        image_rows=image_rows,
        image_lifecycle=image_lifecycle,
        album_lifecycle=album_lifecycle,
        prompt_writes=prompt_writes,
        tombstones=tombstones,
        access_records=access_records,
        access_keys=access_keys,
        bans=bans,
        uploaders=uploaders,
        sweeps=Sweeps(
            catalogue=catalogue.images, spool=spool, store=observed, this_node=this_node, clock=guard.cautious_now_s
        ),
        prewarmer=Prewarmer(catalogue=catalogue.images, delivery=delivery, enabled=bool(config.renditions.prewarm)),
        purger=Purger(shared_caches(config.cdn), rows=catalogue.purges, metrics=metrics, clock=clock),
        membership=membership,
        erasures=ErasureFollower(
            node_name(config.node), catalogue=catalogue, caches=caches, spool=spool, sidecars=sidecars
        ),
        revisions=RevisionFollower(node_name(config.node), catalogue=catalogue, caches=caches, spool=spool),
        limits=limits,
        forwarding_watch=ForwardingWatch(
            TrustedProxies(config.server.trusted_proxies), limits.aside, clock, limits.switch
        ),
        albums=albums,
        invites=Invites(
            config, catalogue, albums, album_keys=album_keys, clock=clock, tell_store=access_records.settle_now
        ),
        locksmith=locksmith,
        one_views=OneViews(
            catalogue=catalogue.images,
            cache=caches,
            sidecars=sidecars,
            tombstones=tombstones,
            metrics=metrics,
            clock=clock,
        ),
        reinspector=build_reinspector(
            config, catalogue, spool, observed, caches, workers, originals, shipper, sidecars, this_node
        ),
        this_node=this_node,
        claims=Claims(images=catalogue.images, uploads=catalogue.uploads, spool=spool, this_node=this_node),
        calls=calls,
    )
