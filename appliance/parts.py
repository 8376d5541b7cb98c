"""Every part of the appliance, put together: who gets what. Nothing is started here."""

from dataclasses import dataclass

from aiohttp import web

from appliance.cache import Cache
from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.config import Config
from appliance.delivery import Delivery
from appliance.delivery.making import Making
from appliance.delivery.originals import Originals
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
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.sweeps import Sweeps
from appliance.lifecycle.telling import Telling
from appliance.metrics import Metrics
from appliance.objectstore import ObjectStore
from appliance.objectstore.observed import ObservedStore
from appliance.resumable import Resumable
from appliance.resumable.abandoning import Caretaker
from appliance.spool import Spool
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
    sidecars: Sidecars
    shipper: Shipper
    delivery: Delivery
    ingest: Ingest
    resumable: Resumable
    caretaker: Caretaker
    management: Management
    expiry: Expiry
    eraser: Eraser
    sweeps: Sweeps
    offline_service: OfflineService
    telling: Telling

    def site(self) -> web.Application:
        """The web application over these parts."""
        site = application()
        site[keys.CONFIG] = self.config
        site[keys.CLOCK] = self.clock
        site[keys.PAGES] = Pages(self.config, clock=self.clock)
        site[keys.INGEST] = self.ingest
        site[keys.RESUMABLE] = self.resumable
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
                Job("sidecars", 15, self.telling.run),
                Job("expiry", 60, self.expiry.run),
                Job("offline-service", 60, self.offline_service.run),
                Job("erasing", 10, self.eraser.run),
                Job("spool-sweep", 600, self.sweeps.spool),
                Job("resumable-uploads", 60, self.caretaker.run),
                Job("upload-sweep", 600, self.sweeps.uploads),
                Job("forgetting", HOUR_S, self.eraser.forget),
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
    cache: Cache,
    workers: Workers,
) -> Appliance:
    sidecars = Sidecars(config.sidecars_dir)
    observed = ObservedStore(store, metrics)
    shipper = Shipper(catalogue=catalogue, spool=spool, sidecars=sidecars, store=observed, metrics=metrics, clock=clock)
    originals = Originals(spool=spool, store=observed, catalogue=catalogue, metrics=metrics)
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
    resumable = Resumable(config.uploads, catalogue=catalogue, spool=spool, ingest=ingest, metrics=metrics, clock=clock)
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
        sidecars=sidecars,
        shipper=shipper,
        delivery=delivery,
        ingest=ingest,
        resumable=resumable,
        caretaker=Caretaker(resumable=resumable, catalogue=catalogue, spool=spool, clock=clock),
        management=Management(
            config.uploads, catalogue=catalogue, cache=cache, sidecars=sidecars, metrics=metrics, clock=clock
        ),
        expiry=Expiry(catalogue=catalogue, cache=cache, metrics=metrics, clock=clock),
        eraser=Eraser(
            catalogue=catalogue,
            cache=cache,
            spool=spool,
            sidecars=sidecars,
            store=observed,
            is_shipping=shipper.is_shipping,
            metrics=metrics,
            clock=clock,
        ),
        sweeps=Sweeps(catalogue=catalogue, spool=spool, store=observed),
        offline_service=OfflineService(
            catalogue=catalogue, prewarm=delivery.prewarm, enabled=bool(config.renditions.prewarm)
        ),
        telling=Telling(catalogue=catalogue, sidecars=sidecars, store=observed),
    )
