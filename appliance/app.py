"""The server's life: every part starts in order of need, what the last run left is repaired, all stop in reverse."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from prometheus_client import CollectorRegistry

from appliance.access.ban_orders import carry_out_ban
from appliance.access.orders import carry_out
from appliance.albums.takedown import Takedown
from appliance.cache import Caches
from appliance.catalogue.change_log import ChangeLog, Turn
from appliance.catalogue.opening import open_catalogue
from appliance.config.model import Config
from appliance.config.node_name import node_name
from appliance.container import Container, build, nodes_site_of, site_of
from appliance.container.status import status
from appliance.domain.clock import Clock, system_boot_clock, system_clock
from appliance.domain.errors import CommandFailed
from appliance.membership.building import membership_of
from appliance.membership.claiming import start_catalogue
from appliance.membership.membership import Tell
from appliance.objectstore import open_store
from appliance.observability.metrics import Metrics
from appliance.processes.leftovers import take_over_leftovers
from appliance.resumable.inheritance import INHERITED, Inheritance
from appliance.server.background_jobs import background_jobs
from appliance.server.control import Commands, listening
from appliance.server.data_dir_lock import owned_data_dir
from appliance.server.gauges import connect_gauges
from appliance.server.serving import serve_until_stopped
from appliance.server.sockets import allow_open_files, are_open_to_others
from appliance.server.startup_checks import refuse_lost_catalogue
from appliance.server.systemd import Supervisor
from appliance.server.waiting import WaitingRoom
from appliance.shared.filesystem import largest_file_bytes
from appliance.shared.unix_peers import keep_orphans
from appliance.spool import Spool
from appliance.workers import Workers

log = logging.getLogger(__name__)


async def log_waiting(part: str, _state: str, details: str) -> None:
    """The `Tell` of a start that nobody watches."""
    log.warning("the start waits for the %s: %s", part, details)


@asynccontextmanager
async def started(
    config: Config, clock: Clock = system_clock, boot_clock: Clock = system_boot_clock, tell: Tell = log_waiting
) -> AsyncIterator[Container]:
    """Every part, started and repaired after the last run, however that ended; stopped in reverse at the end.

    The caller owns the data directory. Raises UnfitInstallation, CatalogueUnavailable, and why a node doesn't join.
    """
    refuse_lost_catalogue(config)
    async with AsyncExitStack() as stack:
        metrics = Metrics(CollectorRegistry())
        workers = Workers(
            config.renditions,
            config.uploads.max_pixels,
            on_death=metrics.worker_died,
            on_refusal=metrics.shed_views.inc,
        )
        starting = asyncio.ensure_future(workers.start())
        stack.push_async_callback(workers.stop)
        stack.push_async_callback(asyncio.wait, [starting])  # should another part fail first
        catalogue = open_catalogue(config, clock)
        stack.push_async_callback(catalogue.stop)
        await start_catalogue(catalogue, node_name(config.node) if config.is_node else None, tell)
        spool = Spool(
            config.spool_dir, budget_bytes=config.uploads.spool_bytes, reserve_bytes=config.uploads.reserve_bytes
        )
        stack.push_async_callback(spool.close)
        caches = Caches.of(config)
        stack.push_async_callback(caches.close)
        store = open_store(config.store, config.data_dir)
        stack.push_async_callback(store.close)
        membership = membership_of(config, catalogue, store, clock)
        if membership is not None:
            stack.push_async_callback(membership.leave)
            await membership.join(tell)
        config = config.limited_to(min(store.max_object_bytes, largest_file_bytes(config.spool_dir)))
        container = build(config, clock, boot_clock, metrics, catalogue, store, spool, caches, workers, membership)
        stack.push_async_callback(container.sidecars.close)
        await container.bans.load()
        await container.limits.day_budgets.start()
        stack.push_async_callback(container.limits.day_budgets.stop)
        stack.push_async_callback(container.locksmith.close)
        await caches.start()
        await spool.start()
        await container.clock_guard.start()
        await _repair(container)
        if container.calls is not None:
            stack.push_async_callback(container.calls.neighbours.close)
        stack.push_async_callback(container.delivery.close)
        stack.push_async_callback(container.tiles.close)
        container.purger.start()
        stack.push_async_callback(container.purger.stop)
        await container.shipper.start()
        stack.push_async_callback(container.shipper.stop)
        stack.push_async_callback(container.awaited_originals.stop)
        stack.push_async_callback(container.prompt_writes.stop)
        await starting
        stack.push_async_callback(container.resumable.stop)
        await container.upload_janitor.finish_complete()
        connect_gauges(container)
        container.health.started = True
        yield container


async def _repair(container: Container) -> None:
    """Bring this node's spool and its rows in line, however the last run ended."""
    await Inheritance(
        container.config.spool_dir / INHERITED,
        uploads=container.spool.uploads,
        catalogue=container.catalogue,
        this_node=container.this_node,
    ).claim()
    await container.upload_janitor.recover()
    await container.sweeps.spool(older_than_s=0)
    await container.claims.make()


def serve(config: Config, manager: Supervisor) -> int:
    """`appliance serve`: run until SIGTERM or SIGINT; the exit status. Raises the named errors of starting."""
    allow_open_files()
    with owned_data_dir(config):
        keep_orphans()
        if manager.head is None:
            take_over_leftovers(config)
        asyncio.run(_serve(_limited(config, manager), manager))
    return 0


def _limited(config: Config, manager: Supervisor) -> Config:
    """With limits on where the manager's sockets are open to others, whatever `server.listen` says."""
    if config.limits.mode == "auto" and are_open_to_others(manager.sockets):
        config = replace(config, limits=replace(config.limits, mode="on"))
    log.info("clients are %s (limits.mode)", "limited" if config.limits_on else "not limited")
    return config


def control_commands(container: Container) -> Commands:
    """What the parts do for commands on the terminal."""

    async def drain(drained: bool, announced: bool) -> None:
        container.drain(drained, announced)

    async def log_changes() -> Turn:
        return await _change_log_of(container).begin_turn()

    async def end_change_log() -> None:
        await _change_log_of(container).end()

    async def only_on_node(name: str) -> list[str]:
        rescue = container.resumable.rescue
        if rescue is not None and await container.catalogue.nodes.only_on(name):
            await rescue.from_nodes([name])  # what the store has isn't lost; raises while it is away
        return await container.catalogue.nodes.only_on(name)

    return Commands(
        expire=container.image_lifecycle.end,
        status=lambda: status(container),
        drain=drain,
        take_down=Takedown(container.management, container.albums).take_down,
        reinspect=container.reinspector.step,
        key=lambda order: carry_out(container.access_keys, container.catalogue.records, order),
        ban=lambda order: carry_out_ban(container.bans, container.catalogue.records, order),
        forget_node=container.catalogue.nodes.forget,
        log_changes=log_changes,
        end_change_log=end_change_log,
        only_on_node=only_on_node,
        metrics=container.metrics.text,
    )


def _change_log_of(container: Container) -> ChangeLog:
    if container.catalogue.change_log is None:
        raise CommandFailed("The catalogue is in a database, in which commands log changes themselves.")
    return container.catalogue.change_log


async def _serve(config: Config, manager: Supervisor) -> None:
    waiting = WaitingRoom(config, manager)
    await waiting.wait_for_database()
    async with started(config, tell=waiting.tell) as container:
        await waiting.close()
        jobs = background_jobs(container)
        async with listening(config, control_commands(container), manager.head):
            jobs.start()
            try:
                site = site_of(container)
                await serve_until_stopped(
                    config,
                    site,
                    nodes_site_of(container, site),
                    container.health,
                    container.metrics,
                    resumable=container.resumable,
                    supervisor=manager,
                )
            finally:
                jobs.stop()
