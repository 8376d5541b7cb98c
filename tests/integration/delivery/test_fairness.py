"""A flood from one address, and what another asks for meanwhile: decided by what begins while the flood is held."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import pytest
from aiohttp import ClientResponse, FormData

from appliance.cache import Rendition
from appliance.config.model import Config
from appliance.domain.clients import Clients
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.renditions import Priority
from appliance.workers.pending_orders import Reply
from appliance.workers.protocol import CutOut, Examine, Order, Render
from appliance.workers.supervised_worker import SupervisedWorker
from tests.support.gates import row
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.rows import changed
from tests.support.waiting import until

FLOOD, SECOND, OTHER = "203.0.113.1", "203.0.113.3", "203.0.113.2"
IMAGES = 10


class Held:
    """Orders begin, and while it holds them, they go on only when they are let go."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun: list[Order] = []
        self._holds = False
        self._waiting: list[asyncio.Event] = []
        held, real = self, SupervisedWorker.run

        async def run(slot: SupervisedWorker, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
            await held.begin(order)
            return await real(slot, order, fds, deadline_s)

        patch.setattr(SupervisedWorker, "run", run)

    async def begin(self, order: Order) -> None:
        self.begun.append(order)
        if self._holds:
            goes_on = asyncio.Event()
            self._waiting.append(goes_on)
            await goes_on.wait()

    def hold(self) -> None:
        self.begun.clear()
        self._holds = True

    def count(self, kind: type[Order]) -> int:
        return sum(isinstance(order, kind) for order in self.begun)

    def sizes(self) -> list[tuple[int, int]]:
        """Of the images that were begun to be rendered."""
        return [(order.facts.width, order.facts.height) for order in self.begun if isinstance(order, Render)]

    def let_first_go(self) -> None:
        self._waiting.pop(0).set()

    def let_go(self) -> None:
        self._holds = False
        while self._waiting:
            self.let_first_go()


@pytest.fixture
async def host(open_host: OpenHost, config: Config) -> Host:
    behind_a_proxy = replace(config.server, trusted_proxies=("127.0.0.1",))
    return await open_host(server=behind_a_proxy, renditions=replace(config.renditions, queue=6))


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Held]:
    held = Held(monkeypatch)
    yield held
    held.let_go()


async def uploaded(host: Host, count: int) -> list[str]:
    return [(await host.upload(pictures.photo(64, 48, seed=seed)))["slug"] for seed in range(count)]


def get(host: Host, path: str, address: str) -> "asyncio.Task[ClientResponse]":
    return asyncio.create_task(host.get(path, X_Forwarded_For=address))


def post(host: Host, data: bytes, address: str) -> "asyncio.Task[ClientResponse]":
    form = FormData()
    form.add_field("file", io.BytesIO(data), filename="photo.jpg")
    return asyncio.create_task(host.client.post("/api/v1/images", data=form, headers={"X-Forwarded-For": address}))


async def statuses(replies: Sequence["asyncio.Task[ClientResponse]"]) -> list[int]:
    return sorted(reply.status for reply in await asyncio.gather(*replies))


def is_warm(lane: Any) -> bool:
    """Whether the spare slot can be used."""
    spare: SupervisedWorker = lane.slots[-1]
    return spare.process is not None and spare.process.libvips != ""


async def test_a_cold_view_does_not_wait_for_regions_that_another_address_floods(host: Host, held: Held) -> None:
    slugs = await uploaded(host, 5)
    held.hold()
    flood = [get(host, f"/iiif/3/{slug}/{x},0,9,9/max/0/default.jpg", FLOOD) for slug in slugs[1:] for x in range(5)]
    await until(lambda: host.appliance.workers.waiting["normal"] == 3)
    await until(lambda: is_warm(host.appliance.workers.queues["normal"]))
    view = get(host, f"/i/{slugs[0]}/small.jpg", OTHER)
    await until(lambda: held.count(Render) == 1)
    assert held.count(CutOut) == 1
    held.let_go()
    assert (await view).status == 200
    assert await statuses(flood) == [200] * 20


async def test_a_cold_view_that_came_before_the_spare_was_ready_begins_when_it_is(host: Host, held: Held) -> None:
    slugs = await uploaded(host, 3)
    held.hold()
    flood = [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs[1:]]
    view = get(host, f"/i/{slugs[0]}/small.jpg", OTHER)
    await until(lambda: host.appliance.workers.waiting["normal"] == 2)
    assert not is_warm(host.appliance.workers.queues["normal"])
    await until(lambda: held.count(Render) == 2)
    held.let_go()
    assert (await view).status == 200
    assert await statuses(flood) == [200] * 2


async def test_a_small_upload_does_not_wait_for_those_that_another_address_floods(host: Host, held: Held) -> None:
    held.hold()
    flood = [post(host, pictures.photo(64, 48, seed=seed), FLOOD) for seed in range(8)]
    await until(lambda: host.appliance.workers.waiting["inspect"] == 6)
    await until(lambda: is_warm(host.appliance.workers.queues["inspect"]))
    upload = post(host, pictures.photo(64, 48, seed=99), OTHER)
    await until(lambda: held.count(Examine) == 3)
    assert host.appliance.workers.waiting["inspect"] == 6
    held.let_go()
    assert (await upload).status == 201
    assert await statuses(flood) == [201] * 8


async def test_a_queue_that_one_address_fills_refuses_that_address_alone(host: Host, held: Held) -> None:
    slugs = await uploaded(host, IMAGES)
    held.hold()
    flood = [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs[:8]]
    await until(lambda: host.appliance.workers.waiting["normal"] == 6)
    others = [get(host, f"/i/{slug}/small.jpg", OTHER) for slug in slugs[8:]]
    await until(lambda: sum(reply.done() for reply in flood) >= 2)
    held.let_go()
    assert await statuses(others) == [200, 200]
    refused = [reply.status for reply in await asyncio.gather(*flood)].count(503)
    assert 2 <= refused <= 3


async def test_two_addresses_that_ask_for_the_same_do_not_have_others_refused(host: Host, held: Held) -> None:
    slugs = await uploaded(host, IMAGES)
    held.hold()
    flood = [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs[:8]]
    await until(lambda: host.appliance.workers.waiting["normal"] == 6)
    images, batches = [await row(host, slug) for slug in slugs], host.appliance.delivery.renderer.batches
    flood += [get(host, f"/i/{slug}/small.jpg", SECOND) for slug in slugs[:8]]

    def shared() -> int:
        found = (batches.collecting(image, Priority.VIEW) for image in images)
        return sum(batch is not None and len(batch.clients) == 2 for batch in found)

    await until(lambda: shared() >= 5)
    others = [get(host, f"/i/{slug}/small.jpg", OTHER) for slug in slugs[8:]]
    await until(lambda: sum(reply.done() for reply in flood) >= 2)
    held.let_go()
    assert await statuses(others) == [200, 200]
    await asyncio.gather(*flood)


async def test_one_who_wants_a_size_that_a_flood_waits_for_does_not_wait_for_the_flood(host: Host, held: Held) -> None:
    slugs = await uploaded(host, 5)
    held.hold()
    flood = [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs]
    await until(lambda: host.appliance.workers.waiting["normal"] == 4)
    await until(lambda: is_warm(host.appliance.workers.queues["normal"]))
    view = get(host, f"/i/{slugs[-1]}/small.jpg", OTHER)
    await until(lambda: held.count(Render) == 2)
    held.let_go()
    assert (await view).status == 200
    assert await statuses(flood) == [200] * 5


async def test_one_who_wants_a_size_under_way_has_it_made_in_its_own_turn_when_that_takes_a_second_try(
    host: Host, held: Held
) -> None:
    """The first try is from a cached rendition that can't be decoded, the second one from the original."""
    slugs = await uploaded(host, 4)
    image = await row(host, (await host.upload(pictures.photo(1200, 900)))["slug"])
    ticket = host.appliance.cache.begin(image.slug)
    assert await host.appliance.cache.admit(ticket, "large.jpg", Rendition.of(pictures.photo(1200, 900)[:200]))
    host.appliance.cache.end(ticket)
    held.hold()
    flood = [get(host, f"/i/{image.slug}/small.jpg", FLOOD)]
    await until(lambda: held.count(Render) == 1)
    flood += [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs]
    await until(lambda: host.appliance.workers.waiting["normal"] == 4)
    await until(lambda: is_warm(host.appliance.workers.queues["normal"]))
    view = get(host, f"/i/{image.slug}/small.jpg", OTHER)
    batch = host.appliance.delivery.renderer.batches.in_progress(image, Priority.VIEW)
    assert batch is not None
    await until(lambda: OTHER in batch.clients)
    held.let_first_go()
    await until(lambda: held.sizes().count((1200, 900)) == 2)
    assert host.appliance.workers.waiting["normal"] == 3
    held.let_go()
    assert (await view).status == 200
    assert await statuses(flood) == [200] * 5


async def test_an_original_is_fetched_before_those_that_another_address_floods(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals = host.appliance.delivery.originals
    slugs = await uploaded(host, IMAGES + 2)
    for slug in slugs:
        host.appliance.spool.copy_path(slug).unlink()
    begun: list[str] = []
    goes_on, real = asyncio.Semaphore(0), host.appliance.store.fetch

    async def fetch(key: str, path: Any) -> None:
        begun.append(key.rpartition("/")[2])
        await goes_on.acquire()
        await real(key, path)

    monkeypatch.setattr(host.appliance.store, "fetch", fetch)
    flood = [get(host, f"/i/{slug}/small.jpg", FLOOD) for slug in slugs[1:]]
    await until(lambda: len(begun) == 8)
    await until(lambda: originals.waiting == 3)
    view = get(host, f"/i/{slugs[0]}/small.jpg", OTHER)
    await until(lambda: originals.waiting == 4)
    goes_on.release()
    await until(lambda: len(begun) == 9)
    assert begun[-1] == slugs[0]
    for _ in slugs:
        goes_on.release()
    assert (await view).status == 200
    await asyncio.gather(*flood)


async def test_a_flood_of_uploads_leaves_places_for_the_sizes_of_others(
    open_host: OpenHost, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await open_host(renditions=replace(config.renditions, prewarm=("small",)))
    delivery = host.appliance.delivery
    image = await row(host, (await uploaded(host, 1))[0])
    await until(lambda: delivery.prewarming == 0)
    begun: list[str] = []
    goes_on = asyncio.Event()

    async def prewarm(_image: Any, client: str) -> None:
        begun.append(client)
        await goes_on.wait()

    monkeypatch.setattr(delivery, "prewarm", prewarm)
    for client in (FLOOD, OTHER):
        for _ in range(100):
            delivery.prewarm_soon(image, client)
    await until(lambda: len(begun) == 32)
    assert begun.count(OTHER) == 16
    goes_on.set()
    await until(lambda: delivery.prewarming == 0)
    delivery.prewarm_soon(image, FLOOD)
    await until(lambda: len(begun) == 33)


async def test_a_flood_of_giants_leaves_places_for_the_pyramids_of_others(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = host.appliance.delivery.pyramid_builder
    image = changed(await row(host, (await uploaded(host, 1))[0]), width=10_000, height=10_000)
    begun: list[str] = []
    goes_on = asyncio.Event()

    async def found(slug: str) -> Image:
        return replace(image, slug=slug)

    async def fetched(_image: Image, clients: Clients) -> BinaryIO:
        begun.append(clients.first)
        await goes_on.wait()
        raise StoreUnavailable("The store is away.")

    monkeypatch.setattr(host.appliance.catalogue.images, "get", found)
    monkeypatch.setattr(host.appliance.delivery.originals, "file", fetched)
    for client in (FLOOD, OTHER):
        for number in range(100):
            builder.prepare(replace(image, slug=f"{image.slug[:-3]}{number:03d}"), client)
    await until(lambda: len(begun) == 32)
    assert begun.count(OTHER) == 16
    goes_on.set()
    await until(lambda: len(builder) == 0)
