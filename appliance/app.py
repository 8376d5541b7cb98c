"""The wiring: builds every part from the configuration, in order of need, and takes them down in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry

from appliance.cache import Cache
from appliance.catalogue import Catalogue
from appliance.clock import Clock, system_clock
from appliance.config import Config
from appliance.control import Commands, listening
from appliance.delivery import Delivery
from appliance.delivery.making import Making
from appliance.delivery.originals import Originals
from appliance.errors import UnfitInstallation
from appliance.http import keys
from appliance.http.callers import Callers
from appliance.http.html import Pages
from appliance.http.readiness import Health
from appliance.http.routes import application
from appliance.ingest import Ingest
from appliance.lifecycle.erasing import Eraser
from appliance.lifecycle.expiry import Expiry
from appliance.lifecycle.jobs import Job, Jobs
from appliance.lifecycle.managing import Management
from appliance.lifecycle.prewarming import OfflineService
from appliance.lifecycle.shipping import Shipper
from appliance.lifecycle.sweeps import Sweeps
from appliance.lock import owned_data_dir
from appliance.metrics import Metrics
from appliance.objectstore import ObjectStore, open_store
from appliance.renditions import edition_of
from appliance.serving import serve_until_told
from appliance.spool import Spool
from appliance.watching import status, watch
from appliance.workers import Workers

HOUR_S = 3600


@dataclass(slots=True)
class Appliance:
    """Every part, built and started."""

    config: Config
    clock: Clock
    metrics: Metrics
    health: Health
    catalogue: Catalogue
    store: ObjectStore
    spool: Spool
    cache: Cache
    workers: Workers
    shipper: Shipper
    delivery: Delivery
    ingest: Ingest
    management: Management
    expiry: Expiry
    eraser: Eraser
    sweeps: Sweeps
    offline_service: OfflineService

    def site(self) -> web.Application:
        """The web application over these parts."""
        site = application()
        site[keys.CONFIG] = self.config
        site[keys.CLOCK] = self.clock
        site[keys.PAGES] = Pages(self.config, clock=self.clock)
        site[keys.INGEST] = self.ingest
        site[keys.DELIVERY] = self.delivery
        site[keys.MANAGEMENT] = self.management
        site[keys.METRICS] = self.metrics
        site[keys.HEALTH] = self.health
        site[keys.CALLERS] = Callers(self.config.server.trusted_proxies)
        return site

    def jobs(self) -> Jobs:
        """The background jobs and their pace."""
        return Jobs(
            [
                Job("ship", 10, self.shipper.feed_and_connect),
                Job("sidecars", 15, self.shipper.write_sidecars),
                Job("expiry", 60, self.expiry.run),
                Job("offline-service", 60, self.offline_service.run),
                Job("erasing", 10, self.eraser.run),
                Job("spool-sweep", 600, self.sweeps.spool),
                Job("upload-sweep", 600, self.sweeps.uploads),
                Job("forgetting", HOUR_S, self.eraser.forget),
                Job("orphan-report", 24 * HOUR_S, self.sweeps.orphans),
            ],
            self.metrics,
        )


@asynccontextmanager
async def started(config: Config, clock: Clock = system_clock) -> AsyncIterator[Appliance]:
    """Every part, started, repaired after whatever ended the last run, and stopped in reverse at the end.

    The caller owns the data directory. Raises UnfitInstallation, CatalogueUnavailable.
    """
    _refuse_lost_catalogue(config)
    async with AsyncExitStack() as stack:
        metrics = Metrics(CollectorRegistry())
        workers = Workers(
            config.renditions,
            config.uploads.max_pixels,
            on_death=lambda reason: metrics.worker_deaths.labels(reason).inc(),
        )
        starting = asyncio.ensure_future(workers.start())
        stack.push_async_callback(workers.stop)
        catalogue = Catalogue(config.catalogue_path)
        stack.push_async_callback(catalogue.stop)
        await catalogue.start()
        spool = Spool(
            config.spool_dir, budget_bytes=config.uploads.spool_bytes, reserve_bytes=config.uploads.reserve_bytes
        )
        stack.push_async_callback(spool.close)
        cache = Cache(
            config.cache_dir,
            edition=edition_of(config.renditions.presets),
            memory_bytes=config.cache.memory_bytes,
            disk_bytes=config.cache.disk_bytes,
        )
        stack.push_async_callback(cache.close)
        store = open_store(config.store, config.data_dir)
        stack.push_async_callback(store.close)
        appliance = _assembled(config, clock, metrics, catalogue, store, spool, cache, workers)
        await cache.start()
        await spool.start()
        await appliance.sweeps.spool(older_than_s=0)
        stack.push_async_callback(appliance.delivery.close)
        await appliance.shipper.start()
        stack.push_async_callback(appliance.shipper.stop)
        await starting
        watch(appliance)
        appliance.health.started = True
        yield appliance


def _refuse_lost_catalogue(config: Config) -> None:
    """A new catalogue beside old originals would take them for strangers. Raises UnfitInstallation."""
    kept = (config.spool_dir / "landed", config.spool_dir / "copies", config.store_dir / "objects")
    if not config.catalogue_path.exists() and any(folder.is_dir() and any(folder.iterdir()) for folder in kept):
        raise UnfitInstallation(
            f"{config.data_dir} holds originals, but no catalogue. Restore a backup as {config.catalogue_path}, "
            "or run `appliance catalogue rebuild`, which makes it anew from the originals."
        )


def _assembled(  # noqa: PLR0917 - one of each part
    config: Config,
    clock: Clock,
    metrics: Metrics,
    catalogue: Catalogue,
    store: ObjectStore,
    spool: Spool,
    cache: Cache,
    workers: Workers,
) -> Appliance:
    shipper = Shipper(catalogue=catalogue, spool=spool, store=store, metrics=metrics, clock=clock)
    originals = Originals(spool=spool, store=store, catalogue=catalogue, metrics=metrics)
    making = Making(
        config.renditions,
        cache=cache,
        workers=workers,
        originals=originals,
        catalogue=catalogue,
        metrics=metrics,
        clock=clock,
    )
    delivery = Delivery(
        config.renditions,
        catalogue=catalogue,
        cache=cache,
        making=making,
        originals=originals,
        metrics=metrics,
        clock=clock,
    )
    ingest = Ingest(
        config,
        spool=spool,
        workers=workers,
        catalogue=catalogue,
        shipper=shipper,
        prewarm=delivery.prewarm_soon,
        clock=clock,
    )
    return Appliance(
        config=config,
        clock=clock,
        metrics=metrics,
        health=Health(),
        catalogue=catalogue,
        store=store,
        spool=spool,
        cache=cache,
        workers=workers,
        shipper=shipper,
        delivery=delivery,
        ingest=ingest,
        management=Management(config.uploads, catalogue=catalogue, cache=cache, metrics=metrics, clock=clock),
        expiry=Expiry(catalogue=catalogue, cache=cache, metrics=metrics, clock=clock),
        eraser=Eraser(catalogue=catalogue, cache=cache, spool=spool, store=store, metrics=metrics, clock=clock),
        sweeps=Sweeps(catalogue=catalogue, spool=spool, store=store),
        offline_service=OfflineService(
            catalogue=catalogue, prewarm=delivery.prewarm, enabled=bool(config.renditions.prewarm)
        ),
    )


def serve(config: Config) -> int:
    """`appliance serve`: run until SIGTERM or SIGINT; the exit status. Raises the named errors of starting."""
    with owned_data_dir(config):
        asyncio.run(_serve(config))
    return 0


async def _serve(config: Config) -> None:
    async with started(config) as appliance:
        commands = Commands(expire=appliance.expiry.run, status=lambda: status(appliance))
        jobs = appliance.jobs()
        async with listening(config, commands):
            jobs.start()
            try:
                await serve_until_told(config, appliance.site(), appliance.health, appliance.metrics)
            finally:
                jobs.stop()
