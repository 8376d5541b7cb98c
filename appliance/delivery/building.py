"""Building what delivers images: every part of `appliance.delivery`, wired together."""

from appliance.cache import Caches
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Config
from appliance.delivery.details import DetailsReader
from appliance.delivery.failures import Failures
from appliance.delivery.idle_renderer import IdleRenderer
from appliance.delivery.originals import Originals
from appliance.delivery.pyramid_builder import PyramidBuilder
from appliance.delivery.region_renderer import RegionRenderer
from appliance.delivery.render_sessions import RenderSessions
from appliance.delivery.renderer import Renderer
from appliance.delivery.service import Delivery
from appliance.delivery.tiles import Tiles
from appliance.domain.clock import Clock
from appliance.limits import ProcessorBudget
from appliance.observability.metrics import Metrics
from appliance.workers import Workers


def build_delivery(  # noqa: PLR0917 - one of each part
    config: Config,
    clock: Clock,
    metrics: Metrics,
    catalogue: ImageCatalogue,
    caches: Caches,
    workers: Workers,
    originals: Originals,
    processor_budget: ProcessorBudget,
) -> tuple[Delivery, Tiles]:
    """What viewers see of images, their renditions and their tiles, over parts that the caller starts and stops."""
    failures = Failures(catalogue=catalogue, metrics=metrics, clock=clock)
    sessions = RenderSessions(
        config.renditions,
        cache=caches.renditions,
        originals=originals,
        catalogue=catalogue,
        metrics=metrics,
        clock=clock,
    )
    renderer = Renderer(
        config.renditions,
        sessions=sessions,
        workers=workers,
        catalogue=catalogue,
        failures=failures,
        processor_budget=processor_budget,
        metrics=metrics,
    )
    pyramid_builder = PyramidBuilder(
        config.renditions,
        pyramids=caches.pyramids,
        workers=workers,
        originals=originals,
        catalogue=catalogue,
        processor_budget=processor_budget,
        metrics=metrics,
        clock=clock,
    )
    delivery = Delivery(
        config.renditions,
        catalogue=catalogue,
        cache=caches.renditions,
        sessions=sessions,
        renderer=renderer,
        originals=originals,
        pyramid_builder=pyramid_builder,
        processor_budget=processor_budget,
        details_reader=DetailsReader(workers=workers, originals=originals, processor_budget=processor_budget),
        idle_renderer=IdleRenderer(sessions=sessions, workers=workers, clock=clock),
        metrics=metrics,
        clock=clock,
    )
    # A slow zoom never makes an image original-only: its deepest level needs more than the presets do.
    zoom_failures = Failures(catalogue=catalogue, metrics=metrics, clock=clock, max_failures=None)
    region_renderer = RegionRenderer(
        heavy_memory_bytes=config.renditions.heavy_memory_bytes,
        workers=workers,
        originals=originals,
        failures=zoom_failures,
        processor_budget=processor_budget,
    )
    tiles = Tiles(
        config.renditions,
        caches=caches,
        workers=workers,
        catalogue=catalogue,
        delivery=delivery,
        pyramid_builder=pyramid_builder,
        region_renderer=region_renderer,
        failures=zoom_failures,
        processor_budget=processor_budget,
        metrics=metrics,
        clock=clock,
    )
    return delivery, tiles
