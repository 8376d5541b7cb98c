"""Originals that one node cleans: no other node shows what it has of the original of before."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from appliance.domain.clients import HOST, Clients
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.lifecycle.followers import RevisionFollower
from appliance.server.background_jobs import background_jobs
from appliance.spool import ATTRIBUTE
from tests.integration.nodes.conftest import Nodes
from tests.support.gates import Gate, gated, row
from tests.support.images import pictures, private_pictures
from tests.support.images.private_pictures import secrets_in
from tests.support.managed_images import original
from tests.support.nodes import NodeHost
from tests.support.stored_before import OLD_RULES, only
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def set_columns(node: NodeHost, slug: str, **values: object) -> None:
    """Write into the image's row, past every rule."""
    columns = ", ".join(f"{name} = %({name})s" for name in values)
    with psycopg.connect(node.appliance.config.catalogue.url or "", autocommit=True) as connection:
        connection.execute(f"UPDATE images SET {columns} WHERE slug = %(slug)s".encode(), values | {"slug": slug})


async def stored(node: NodeHost, slug: str) -> None:
    """Wait until the store has the image's original."""

    async def is_stored() -> bool:
        return (await row(node, slug)).location is Location.STORE

    await until(is_stored)


def copy_on(node: NodeHost, slug: str) -> Path:
    return node.appliance.spool.copy_path(slug)


def follower_of(node: NodeHost) -> RevisionFollower:
    parts = node.appliance
    return RevisionFollower(f"{node.name}-again", catalogue=parts.catalogue, caches=parts.caches, spool=parts.spool)


async def size_of(node: NodeHost, slug: str) -> tuple[int, int]:
    reply = await node.get(f"/i/{slug}/small.png")
    assert reply.status == 200
    return pictures.opened(await reply.read()).size


@pytest_asyncio.fixture(loop_scope="module")
async def slug(nodes: Nodes) -> str:
    """An image that `one` received when less was cleaned; it has a copy of the original, and the store has it."""
    one, _ = nodes
    image = await one.upload(private_pictures.jpeg(), "photo.jpg", keep_metadata="true")
    found: str = image["slug"]
    await stored(one, found)
    await until(copy_on(one, found).exists)
    set_columns(one, found, **OLD_RULES)
    return found


async def cleaned_on(node: NodeHost, slug: str) -> Image:
    step = await node.appliance.reinspector.step(only(slug, clean=True))
    assert step.counts["cleaned"] == 1
    await stored(node, slug)
    return await row(node, slug)


async def require_clean(node: NodeHost, slug: str) -> None:
    """The node shows the original of the row, whole and in parts, and nothing private."""
    known, shown = await row(node, slug), await original(node, slug)
    assert secrets_in(shown) == []
    assert hashlib.sha256(shown).hexdigest() == known.sha256
    part = await node.get(f"/i/{slug}/original", Range="bytes=20-219")
    assert (part.status, await part.read()) == (206, shown[20:220])


@pytest.mark.parametrize("is_marked", [True, False], ids=["known bytes", "as an older release copied it"])
async def test_a_node_with_a_copy_of_before_shows_the_cleaned_original(
    nodes: Nodes, slug: str, is_marked: bool
) -> None:
    one, two = nodes
    assert secrets_in(await original(one, slug)) != []
    if not is_marked:
        os.removexattr(copy_on(one, slug), ATTRIBUTE)
    await cleaned_on(two, slug)
    for node in nodes:
        await require_clean(node, slug)
    assert not copy_on(one, slug).exists(), "it is of no use any more"


async def test_sizes_and_details_are_made_of_the_cleaned_original(nodes: Nodes, slug: str) -> None:
    one, two = nodes
    after = await cleaned_on(two, slug)
    with await one.appliance.delivery.originals.file(after, Clients()) as file:
        assert hashlib.sha256(file.read()).hexdigest() == after.sha256
    assert hashlib.sha256(copy_on(one, slug).read_bytes()).hexdigest() == after.sha256


async def test_headers_of_before_are_not_followed_by_bytes_of_after(nodes: Nodes, slug: str) -> None:
    one, two = nodes
    before = await row(one, slug)
    await cleaned_on(two, slug)
    copy_on(one, slug).unlink()
    with pytest.raises(StoreUnavailable, match="replaced a moment ago"):
        await one.appliance.delivery.original(before)


async def test_a_fetch_during_which_another_node_cleans_leaves_the_cleaned_original(
    nodes: Nodes, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    copy_on(one, slug).unlink()
    held = gated(monkeypatch, one.appliance.store, "fetch", after=True)
    sizing = asyncio.create_task(one.get(f"/i/{slug}/small.jpg"))
    await held.reached.wait()
    after = await cleaned_on(two, slug)
    held.open()
    assert (await sizing).status == 200
    assert hashlib.sha256(copy_on(one, slug).read_bytes()).hexdigest() == after.sha256


async def test_a_copy_that_nobody_asks_for_goes_once_the_node_has_looked(nodes: Nodes, slug: str) -> None:
    one, two = nodes
    assert (await one.get(f"/i/{slug}/small.png")).status == 200
    await one.all_cached()
    await cleaned_on(two, slug)
    follower = follower_of(one)
    assert await follower.run() >= 1
    assert not copy_on(one, slug).exists()
    assert "small.png" in await one.appliance.cache.names(slug), "the pixels are the same"
    assert await follower.run() == 0


async def test_what_was_made_by_older_facts_goes_on_every_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    slug = (await one.upload(jpeg))["slug"]
    await stored(one, slug)
    set_columns(one, slug, width=480, height=640)
    for node in nodes:
        assert await size_of(node, slug) == (384, 512)
    assert (await two.appliance.reinspector.step(only(slug))).counts == {"changed": 1}
    assert await size_of(one, slug) == (384, 512)
    assert await follower_of(one).run() >= 1
    for node in nodes:
        assert await size_of(node, slug) == (512, 384)


async def test_a_node_that_follows_revisions_for_the_first_time_begins_with_the_oldest(nodes: Nodes, slug: str) -> None:
    one, two = nodes
    await cleaned_on(two, slug)
    assert await follower_of(one).run() >= 1
    assert not copy_on(one, slug).exists()


async def test_every_node_looks_every_five_seconds(nodes: Nodes) -> None:
    for node in nodes:
        jobs = {job.id: job.trigger.interval.seconds for job in background_jobs(node.appliance).scheduler.get_jobs()}
        assert (jobs["revisions"], jobs["erasures"]) == (5, 5)


# --- a node that was killed after it had shipped, and before it had a copy ----------------------------------------


@pytest_asyncio.fixture(loop_scope="module")
async def cleaning(nodes: Nodes, slug: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """`two` has cleaned the image and is about to ship it; `one` has its original of before where uploads land."""
    one, two = nodes
    copy_on(one, slug).rename(one.appliance.spool.landed_path(slug))
    held = gated(monkeypatch, two.appliance.store, "put")
    cleaning = asyncio.create_task(two.appliance.reinspector.step(only(slug, clean=True)))
    await held.reached.wait()
    yield held
    held.open()
    await cleaning


async def test_what_landed_before_is_neither_claimed_nor_shown(nodes: Nodes, slug: str, cleaning: Gate) -> None:
    one, two = nodes
    await require_clean(one, slug)
    await one.appliance.sweeps.spool(older_than_s=0)
    await one.appliance.claims.make()
    assert not one.appliance.spool.landed_path(slug).exists()
    assert (await row(one, slug)).node == two.name
    cleaning.open()
    await stored(two, slug)
    await require_clean(one, slug)


async def test_what_landed_before_is_not_shipped_again(nodes: Nodes, slug: str, cleaning: Gate) -> None:
    one, two = nodes
    queued = one.appliance.shipper.queue.add(await row(one, slug), HOST)
    assert queued is not None
    assert not await queued
    assert not one.appliance.spool.landed_path(slug).exists()
    cleaning.open()
    await stored(two, slug)
    copy_on(one, slug).unlink(missing_ok=True)
    await require_clean(one, slug)
