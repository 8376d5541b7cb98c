"""What nodes share: the life and death of images, what clients may do, and the jobs that one node does for all."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from appliance.access.bans import NewBan
from appliance.catalogue.sql import nodes as rows
from appliance.container.status import status
from appliance.lifecycle.followers import ErasureFollower
from appliance.lifecycle.jobs import Job, Jobs
from tests.integration.nodes.conftest import Nodes
from tests.support.host import bearer, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_deleted_on_one_node_is_gone_on_the_other_at_once(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    slug, token = image["slug"], image["delete_token"]
    for _ in range(20):
        viewing = [asyncio.create_task(two.get(f"/i/{slug}/small.jpg")) for _ in range(4)]
        assert {(await view).status for view in viewing} == {200}
        assert (await one.delete(slug, token, bin="true")).status == 200
        assert (await two.get(f"/i/{slug}/small.jpg")).status == 410
        assert (await two.patch(slug, token, deleted=False)).status == 200
        assert (await one.get(f"/i/{slug}/small.jpg")).status == 200


async def test_a_deletion_is_seen_by_views_that_are_under_way(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    path, is_deleted, late = f"/i/{image['slug']}/small.jpg", asyncio.Event(), []
    await two.get(path)

    async def look() -> None:
        while not is_deleted.is_set():
            await two.get(path)
        late.append((await two.get(path)).status)

    looking = [asyncio.create_task(look()) for _ in range(8)]
    await one.delete(image["slug"], image["delete_token"])
    is_deleted.set()
    await asyncio.gather(*looking)
    assert set(late) == {410}


async def test_an_idempotency_key_holds_on_every_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes

    async def put(node: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": "the-same-on-both-nodes-0123456789"}
        reply = await node.client.post("/api/v1/images", data=jpeg, headers=headers)
        assert reply.status in (200, 201), await reply.text()
        found: dict[str, Any] = await reply.json()
        return found

    first, again = await put(one), await put(two)
    assert (first["slug"], first["delete_token"]) == (again["slug"], again["delete_token"])


async def test_an_album_is_changed_on_one_node_and_shown_on_the_other(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    images = [await one.upload(jpeg), await two.upload(jpeg)]
    made = await one.client.post("/api/v1/albums", json={"images": [images[0]["slug"]]})
    album = await made.json()
    path = f"/api/v1/albums/{album['slug']}"
    changed = await two.client.patch(path, json={"add": [images[1]["slug"]]}, headers=bearer(album["delete_token"]))
    assert changed.status == 200, await changed.text()
    shown = await (await one.get(path)).json()
    assert len(shown["images"]) == 2


async def test_a_ban_holds_on_the_other_node_once_it_has_looked(nodes: Nodes) -> None:
    one, two = nodes
    await one.appliance.bans.add(NewBan("127.0.0.1", views=True, force=True))
    try:
        assert (await one.get("/")).status == 403
        assert (await two.get("/")).status == 200
        await two.appliance.bans.load()
        await problem(await two.get("/api/v1/images/0bSa0000000000000"), "banned")
    finally:
        await one.appliance.bans.remove("127.0.0.1")
        await two.appliance.bans.load()
    assert (await two.get("/")).status == 200


async def test_each_node_accepts_the_challenges_of_the_other(nodes: Nodes) -> None:
    one, two = (node.appliance.config for node in nodes)
    assert one.node_key("challenges of uploads") == two.node_key("challenges of uploads")
    assert one.node_key("challenges of uploads") != one.node_key("challenges of guesses")


async def test_what_was_erased_while_a_node_was_away_leaves_its_disk(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    slug = image["slug"]
    parts = two.appliance
    follower = ErasureFollower(
        "box-2", catalogue=parts.catalogue, caches=parts.caches, spool=parts.spool, sidecars=parts.sidecars
    )
    assert (await two.get(f"/i/{slug}/small.jpg")).status == 200
    await two.all_cached()
    await follower.run()
    await one.delete(slug, image["delete_token"])
    catalogue = one.appliance.catalogue.images  # as erased by a node that couldn't reach this one
    await catalogue.begin_erase(slug, int(one.clock()) + 60)
    await catalogue.confirm_erased(slug)
    assert any(slug in str(path) for path in two.files("cache"))
    assert await follower.run() >= 1
    assert not any(slug in str(path) for path in two.files("cache"))
    assert await follower.run() == 0


class Runs:
    """Counts how often a job ran on each node."""

    def __init__(self, nodes: Nodes) -> None:
        self.counts = {node.name: 0 for node in nodes}
        self.fails_on: str | None = None
        self._jobs = {node.name: self._job(node) for node in nodes}

    def _job(self, node: Any) -> tuple[Jobs, Job]:
        async def run() -> None:
            self.counts[node.name] += 1
            if self.fails_on == node.name:
                raise OSError("It fails here.")

        return Jobs([], node.appliance.metrics, node.appliance.membership), Job("a-job", 60, run, for_all=True)

    async def on(self, name: str) -> int:
        jobs, job = self._jobs[name]
        await jobs._run(job)
        return self.counts[name]


@pytest_asyncio.fixture(loop_scope="module")
async def runs(nodes: Nodes) -> AsyncIterator["Runs"]:
    yield Runs(nodes)
    for node in nodes:
        await node.appliance.catalogue.nodes.release("a-job", node.name)


async def test_a_job_for_all_is_done_by_one_node(runs: Runs) -> None:
    for _ in range(3):
        await runs.on("box-1")
        await runs.on("box-2")
    assert runs.counts == {"box-1": 3, "box-2": 0}


async def test_a_job_that_fails_on_one_node_is_done_by_the_other(runs: Runs) -> None:
    runs.fails_on = "box-1"
    assert await runs.on("box-1") == 1
    assert await runs.on("box-2") == 1
    assert await runs.on("box-1") == 1


async def test_the_jobs_of_a_dead_node_are_taken_over(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await runs.on("box-1") == 1
    assert await runs.on("box-2") == 0
    monkeypatch.setitem(rows._ALIVE, "dead_after_s", 0)
    assert await runs.on("box-2") == 1


async def test_the_status_says_where_a_count_ended(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.container.status.COUNT_LIMIT", 0)
    shown = json.loads(json.dumps(await status(nodes[0].appliance)))
    assert [one["at_least"] for one in shown["nodes"]] == [True, True]


async def test_the_status_shows_every_node(nodes: Nodes, runs: Runs) -> None:
    await runs.on("box-2")
    shown = json.loads(json.dumps(await status(nodes[0].appliance)))
    assert shown["node"] == "box-1"
    one, two = shown["nodes"]
    assert (one["name"], one["state"], two["name"], two["state"]) == ("box-1", "alive", "box-2", "alive")
    assert "a-job" in two["leases"]
    assert (one["waiting_for_the_store"], one["at_least"]) == (0, False)
