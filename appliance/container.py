"""Every part of the appliance, put together: who gets what. Nothing is started here."""

import logging
from dataclasses import dataclass

from aiohttp import web

from appliance.albums import Albums
from appliance.albums.lifecycle import AlbumKeeper
from appliance.cache import Cache, Caches
from appliance.catalogue import Catalogue, ImageCatalogue
from appliance.cdn import shared_caches
from appliance.config.model import Config
from appliance.delivery import Delivery
from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.delivery.pyramid_builder import PyramidBuilder
from appliance.delivery.region_renderer import RegionRenderer
from appliance.delivery.renderer import Renderer
from appliance.delivery.tiles import Tiles
from appliance.domain.clock import Clock
from appliance.health.checks import CatalogueCheck, DiskCheck, StoreCheck, WorkersCheck
from appliance.health.health import Health
from appliance.http import keys
from appliance.http.pages.background_rendering import BackgroundRenderer
from appliance.http.pages.localized_pages import build_pages
from appliance.http.routes import application
from appliance.http.transport.event_stream import EventStreams
from appliance.http.transport.open_connections import OpenConnections
from appliance.http.transport.small_bodies import small_body_limit
from appliance.http.transport.start_limiter import StartLimiter
from appliance.http.transport.streamed_responses import download_limit
from appliance.http.transport.upload_bodies import FormLimits
from appliance.http.trusted_proxies import TrustedProxies
from appliance.http.wrong_token_delay import WrongTokenDelay
from appliance.lifecycle.erasing import Eraser
from appliance.lifecycle.expiry import Expiry
from appliance.lifecycle.jobs import Job, Jobs
from appliance.lifecycle.management import Management
from appliance.lifecycle.prewarming import OfflineService
from appliance.lifecycle.purging import Purger
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sidecar_sync import Telling
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.sweeps import Sweeps
from appliance.objectstore import ObjectStore
from appliance.objectstore.observed import ObservedStore
from appliance.observability.metrics import Metrics
from appliance.resumable import ResumableUploads, UnfinishedUploads
from appliance.resumable.janitor import UploadJanitor
from appliance.spool import Spool
from appliance.uploads.admission import Admission
from appliance.uploads.committer import Committer
from appliance.uploads.drain_switch import DrainSwitch
from appliance.uploads.idempotency import IdempotentCommitter
from appliance.uploads.ingest import Ingest
from appliance.workers import Workers

HOUR_S = 3600

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Appliance:
    """Every part, built and started."""

    config: Config
    clock: Clock
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
    delivery: Delivery
    tiles: Tiles
    admission: Admission
    committer: Committer
    ingest: Ingest
    resumable: ResumableUploads
    upload_janitor: UploadJanitor
    management: Management
    expiry: Expiry
    eraser: Eraser
    sweeps: Sweeps
    offline_service: OfflineService
    telling: Telling
    purger: Purger
    albums: Albums
    album_keeper: AlbumKeeper

    @property
    def cache(self) -> Cache:
        """The renditions alone."""
        return self.caches.renditions

    def drain(self, drained: bool) -> None:
        """Take no uploads any more, or take them again."""
        self.drain_switch.drained = drained
        log.warning("draining: uploads are refused" if drained else "uploads are accepted again")

    def site(self) -> web.Application:
        """The web application over these parts."""
        site = application()
        site[keys.CONFIG] = self.config
        site[keys.CLOCK] = self.clock
        site[keys.PAGES] = build_pages(self.config, self.clock)
        site[keys.ADMISSION] = self.admission
        site[keys.INGEST] = self.ingest
        site[keys.RESUMABLE] = self.resumable
        site[keys.DELIVERY] = self.delivery
        site[keys.TILES] = self.tiles
        site[keys.MANAGEMENT] = self.management
        site[keys.ALBUMS] = self.albums
        site[keys.METRICS] = self.metrics
        site[keys.HEALTH] = self.health
        site[keys.EVENT_STREAMS] = EventStreams()
        site[keys.WRONG_TOKEN_DELAY] = WrongTokenDelay()
        site[keys.BACKGROUND_RENDERER] = rendering = BackgroundRenderer()
        site.on_cleanup.append(lambda _: rendering.close())
        site[keys.TRUSTED_PROXIES] = trusted_proxies = TrustedProxies(self.config.server.trusted_proxies)
        site[keys.SMALL_BODIES] = small_body_limit()
        site[keys.DOWNLOADS] = download_limit()
        site[keys.FORM_LIMITS] = FormLimits()
        site[keys.START_LIMITER] = StartLimiter()
        site[keys.OPEN_CONNECTIONS] = connections = OpenConnections(trusted_proxies)
        site.cleanup_ctx.append(connections.watch)
        return site

    def jobs(self) -> Jobs:
        """The background jobs and their pace."""
        return Jobs(
            [
                Job("ship", 10, self.shipper.feed_and_connect),
                Job("sidecars", 15, self.telling.run),
                Job("album-records", 15, self.album_keeper.tell),
                Job("album-expiry", 60, self.album_keeper.end),
                Job("album-erasing", 10, self.album_keeper.erase),
                Job("album-forgetting", HOUR_S, self.album_keeper.forget),
                Job("expiry", 60, self.expiry.run),
                Job("offline-service", 60, self.offline_service.run),
                Job("erasing", 10, self.eraser.run),
                Job("spool-sweep", 600, self.sweeps.spool),
                Job("resumable-uploads", 60, self.upload_janitor.run),
                Job("upload-sweep", 600, self.sweeps.uploads),
                Job("forgetting", HOUR_S, self.eraser.forget),
                Job("store-forgetting", 24 * HOUR_S, self.eraser.forget_in_store),
                Job("orphan-report", 24 * HOUR_S, self.sweeps.orphans),
            ],
            self.metrics,
        )


def assembled(  # noqa: PLR0917 - one of each part
    config: Config,
    clock: Clock,
    metrics: Metrics,
    catalogue: Catalogue,
    store: ObjectStore,
    spool: Spool,
    caches: Caches,
    workers: Workers,
) -> Appliance:
    drain_switch = DrainSwitch()
    sidecars = Sidecars(config.sidecars_dir)
    observed = ObservedStore(store, metrics)
    shipper = Shipper(
        catalogue=catalogue.images, spool=spool, sidecars=sidecars, store=observed, metrics=metrics, clock=clock
    )
    originals = Originals(spool=spool, store=observed, catalogue=catalogue.images, metrics=metrics)
    delivery, tiles = _shown(config, clock, metrics, catalogue.images, caches, workers, originals)
    unfinished = UnfinishedUploads(config.uploads.max_unfinished, rows=catalogue.uploads, clock=clock)
    admission = Admission(config.uploads, drain_switch=drain_switch, spool=spool, rules=[unfinished])
    committer = Committer(
        config.uploads,
        spool=spool,
        workers=workers,
        catalogue=catalogue,
        shipper=shipper,
        delivery=delivery,
        clock=clock,
    )
    ingest = Ingest(
        admission=admission,
        committer=committer,
        idempotent=IdempotentCommitter(committer, catalogue=catalogue, spool=spool, clock=clock),
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
        metrics=metrics,
        clock=clock,
    )
    return Appliance(
        config=config,
        clock=clock,
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
        delivery=delivery,
        tiles=tiles,
        admission=admission,
        committer=committer,
        ingest=ingest,
        resumable=resumable,
        upload_janitor=UploadJanitor(resumable=resumable, catalogue=catalogue, spool=spool, clock=clock),
        management=Management(
            config.uploads, catalogue=catalogue.images, cache=caches, sidecars=sidecars, metrics=metrics, clock=clock
        ),
        expiry=Expiry(catalogue=catalogue.images, notes=catalogue.notes, cache=caches, metrics=metrics, clock=clock),
        eraser=Eraser(
            catalogue=catalogue.images,
            idempotency=catalogue.idempotency,
            cache=caches,
            spool=spool,
            sidecars=sidecars,
            store=observed,
            shipper=shipper,
            metrics=metrics,
            clock=clock,
        ),
        sweeps=Sweeps(catalogue=catalogue.images, spool=spool, store=observed),
        offline_service=OfflineService(
            catalogue=catalogue.images, delivery=delivery, enabled=bool(config.renditions.prewarm)
        ),
        telling=Telling(catalogue=catalogue.images, sidecars=sidecars, store=observed),
        purger=Purger(shared_caches(config.cdn), rows=catalogue.purges, metrics=metrics, clock=clock),
        albums=Albums(config, catalogue=catalogue, clock=clock),
        album_keeper=AlbumKeeper(catalogue=catalogue.albums, store=observed, clock=clock),
    )


def _shown(  # noqa: PLR0917 - one of each part
    config: Config,
    clock: Clock,
    metrics: Metrics,
    catalogue: ImageCatalogue,
    caches: Caches,
    workers: Workers,
    originals: Originals,
) -> tuple[Delivery, Tiles]:
    """What is seen of pictures: their versions, and their tiles."""
    failures = Failures(catalogue=catalogue, metrics=metrics, clock=clock)
    renderer = Renderer(
        config.renditions,
        cache=caches.renditions,
        workers=workers,
        originals=originals,
        catalogue=catalogue,
        failures=failures,
        metrics=metrics,
        clock=clock,
    )
    pyramid_builder = PyramidBuilder(
        config.renditions,
        pyramids=caches.pyramids,
        workers=workers,
        originals=originals,
        catalogue=catalogue,
        metrics=metrics,
        clock=clock,
    )
    delivery = Delivery(
        config.renditions,
        catalogue=catalogue,
        cache=caches.renditions,
        renderer=renderer,
        originals=originals,
        pyramid_builder=pyramid_builder,
        metrics=metrics,
        clock=clock,
    )
    # No image is too slow for its zoom: the presets need less than the deepest level.
    zooming = Failures(catalogue=catalogue, metrics=metrics, clock=clock, max_failures=None)
    region_renderer = RegionRenderer(
        heavy_memory_bytes=config.renditions.heavy_memory_bytes,
        workers=workers,
        originals=originals,
        failures=zooming,
    )
    tiles = Tiles(
        config.renditions,
        caches=caches,
        workers=workers,
        catalogue=catalogue,
        delivery=delivery,
        pyramid_builder=pyramid_builder,
        region_renderer=region_renderer,
        failures=zooming,
        metrics=metrics,
        clock=clock,
    )
    return delivery, tiles
