"""The only synchronous standby is away, so that no commit is confirmed: nodes say so, refuse, and lose nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.app import started
from appliance.catalogue.postgres import writing
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key
from tests.integration.nodes.conftest import Nodes, away_from
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost, node_config
from tests.support.postgres import Databases
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANSWERS_WITHIN_S = 3.0
StandbyAway = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def standby_away(replicated: Nodes, databases: Databases) -> StandbyAway:
    """While the block lasts, the standby is away, and nodes give up waiting sooner; afterwards they are ready."""

    @asynccontextmanager
    async def away(answers_within_s: float = ANSWERS_WITHIN_S) -> AsyncIterator[None]:
        await asyncio.to_thread(databases.standby.stop)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(writing, "ANSWERS_WITHIN_S", answers_within_s)
                yield
        finally:
            await asyncio.to_thread(databases.standby.start)
        await until(lambda: are_ready(replicated), "both nodes")

    return away


async def are_ready(nodes: Nodes) -> bool:
    return {(await node.get("/readyz")).status for node in nodes} == {200}


async def says_why(node: NodeHost) -> bool:
    """Whether /readyz has it that the catalogue is what is wrong."""
    reply = await node.get("/readyz")
    report: dict[str, Any] = await reply.json()
    return reply.status == 503 and report["status"] == "not ready" and report["parts"]["catalogue"] != "ok"


async def put(node: NodeHost, data: bytes, key: str) -> ClientResponse:
    return await node.client.post("/api/v1/images", data=data, headers={"Idempotency-Key": key})


async def repeated(node: NodeHost, data: bytes, key: str) -> ClientResponse:
    """The answer to a repeat that is sent for as long as it is asked for. No job looks for what isn't shipped yet."""
    async with asyncio.timeout(60):
        while True:
            reply = await put(node, data, key)
            if reply.status != 409:
                return reply
            await asyncio.sleep(0.1)


async def test_every_node_says_so_and_refuses_uploads_until_the_standby_is_back(
    replicated: Nodes, standby_away: StandbyAway, jpeg: bytes
) -> None:
    seen = (await replicated[0].upload(jpeg))["slug"]
    sent = [(replicated[number % 2], padded(60_000, number), f"without a standby, {number:04}") for number in range(6)]
    async with standby_away():
        replies = await asyncio.gather(*(put(*one) for one in sent))
        for reply in replies:
            await problem(reply, "catalogue-unavailable")
            assert "Retry-After" in reply.headers
        for node in replicated:
            await until(lambda node=node: says_why(node), "a node that says it")  # type: ignore[misc]
            assert (await node.get(f"/i/{seen}/small.jpg")).status == 200
            await problem(await node.post(jpeg), "catalogue-unavailable")
            await problem(await Tus(node).post(1000), "catalogue-unavailable")
    for node, data, key in sent:
        reply = await repeated(node, data, key)
        image = await reply.json()
        assert reply.status in (200, 201), image
        for other in replicated:
            assert sha256([await Tus(other).original(image["slug"])]) == sha256([data])


async def row_of(node: NodeHost, slug: str) -> Image:
    row = await node.appliance.catalogue.images.get(slug)
    assert isinstance(row, Image)
    return row


async def until_stored(node: NodeHost, slug: str) -> None:
    """No job ships it: none runs in these tests."""

    async def is_stored() -> bool:
        return (await row_of(node, slug)).location is Location.STORE and slug not in landed(node)

    await until(is_stored, "the original in the store")


def landed(node: NodeHost) -> list[str]:
    return [file.name for file in node.files("spool/landed")]


async def test_an_upload_whose_commit_was_not_confirmed_in_time_is_shipped_once_when_it_is(
    replicated: Nodes, standby_away: StandbyAway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload has ten seconds to reach its commit: later its node knows already, and refuses it before.

    A heartbeat that waited for the standby first would keep the upload's commit from being begun.
    """
    one, data = replicated[0], padded(70_000, 7)
    puts: list[str] = []
    put = one.appliance.store.put

    async def noted(key: str, *arguments: Any, **more: Any) -> None:
        puts.append(key)
        await put(key, *arguments, **more)

    monkeypatch.setattr(one.appliance.store, "put", noted)
    before = {image.slug for image in await one.appliance.catalogue.images.page()}
    async with one.heart.beating, standby_away(answers_within_s=10):
        refused = await problem(await one.post(data), "catalogue-unavailable")
        assert "before you repeat it" in refused["detail"]
        [slug] = landed(one)
        await one.appliance.sweeps.spool(older_than_s=0)  # it has no row that anybody sees
        assert landed(one) == [slug]
        assert not puts
    await until_stored(one, slug)
    [image] = [image for image in await one.appliance.catalogue.images.page() if image.slug not in before]
    assert (image.slug, puts) == (slug, [object_key(slug)])
    await one.appliance.shipper.check_and_enqueue()
    await until(lambda: not one.appliance.shipper.queue, "an empty queue")
    assert puts == [object_key(slug)]
    assert sha256([await Tus(replicated[1]).original(slug)]) == sha256([data])


async def test_an_original_that_was_sent_again_to_another_node_is_shipped_once_its_row_names_that(
    replicated: Nodes, standby_away: StandbyAway
) -> None:
    one, two = replicated
    data, key = padded(70_000, 9), "sent again without a standby, 0123"
    with away_from(replicated):
        first = await put(one, data, key)
        slug = str((await first.json())["slug"])
        async with one.silent(), two.heart.beating, standby_away(answers_within_s=10):
            await problem(await put(two, data, key), "catalogue-unavailable")
            assert landed(two) == [slug]
    await until_stored(two, slug)
    assert sha256([await Tus(two).original(slug)]) == sha256([data])


async def test_a_node_that_starts_meanwhile_joins_once_the_standby_is_back(
    replicated: Nodes, standby_away: StandbyAway
) -> None:
    of_one = replicated[0].appliance.config
    config = node_config(of_one.data_dir.parents[1], "box-3", of_one.catalogue.url or "")
    waits_for: list[str] = []

    async def tell(part: str, state: str, _details: str) -> None:
        waits_for.append(f"{part}: {state}")

    async def alive_after_start() -> list[str]:
        async with started(config, tell=tell) as appliance:
            return [node.name for node in await appliance.catalogue.nodes.nodes() if node.is_alive]

    async with standby_away():
        starting = asyncio.create_task(alive_after_start())
        await until(lambda: bool(waits_for) or starting.done(), "a start that says what it waits for")
    assert "box-3" in await starting
    assert set(waits_for) == {"catalogue: its database doesn't confirm changes"}


async def test_a_resumable_upload_whose_commit_hangs_becomes_its_image_afterwards(
    replicated: Nodes, standby_away: StandbyAway
) -> None:
    one, data = replicated[0], padded(80_000, 8)
    where = await Tus(one).create(len(data))
    assert (await Tus(one).patch(where, 0, data[:-1])).status == 204
    async with one.heart.beating, standby_away():
        await problem(await Tus(one).patch(where, len(data) - 1, data[-1:]), "upload-locked")  # success would be a lie
        await until(lambda: says_why(one), "a node that says it")
        assert (await Tus(one).state(where))["state"] == "processing"
    image = await Tus(one).image(where)
    assert image["sha256"] == sha256([data])
    assert sha256([await Tus(replicated[1]).original(image["slug"])]) == sha256([data])
