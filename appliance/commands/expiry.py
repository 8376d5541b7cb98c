"""`appliance expire`: ends due images, by the running server or, where none runs, by itself."""

import asyncio

from prometheus_client import CollectorRegistry

from appliance.cache import Caches
from appliance.catalogue.opening import open_catalogue
from appliance.config.model import Config
from appliance.domain.clock import system_boot_clock, system_clock
from appliance.domain.errors import ServerNotRunning
from appliance.lifecycle.clock_guard import ClockGuard
from appliance.lifecycle.expiry import expire_images
from appliance.observability.metrics import Metrics
from appliance.server.control import ask_expire
from appliance.server.data_dir_lock import owned_data_dir
from appliance.server.startup_checks import refuse_lost_catalogue


def expire(config: Config, *, clock_confirmed: bool) -> int:
    """Prints how many images expired. Raises ClockJumped, CommandFailed, DataDirectoryLocked, UnfitInstallation."""
    try:
        ended = asyncio.run(ask_expire(config, clock_confirmed=clock_confirmed))
    except ServerNotRunning:
        with owned_data_dir(config):
            refuse_lost_catalogue(config)
            ended = asyncio.run(_expire_alone(config, clock_confirmed))
    print(f"{ended} {'image has' if ended == 1 else 'images have'} expired.")
    return 0


async def _expire_alone(config: Config, clock_confirmed: bool) -> int:
    metrics = Metrics(CollectorRegistry())
    catalogue = open_catalogue(config)
    cache = Caches.of(config)
    try:
        await catalogue.start()
        guard = ClockGuard(catalogue.images, catalogue.notes, system_clock, system_boot_clock)
        now_s = await guard.trusted_now_s(is_confirmed=clock_confirmed)
        return await expire_images(catalogue.images, cache, metrics, now_s)
    finally:
        await cache.close()
        await catalogue.stop()
