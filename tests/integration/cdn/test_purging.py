"""Shared caches are told what changed: promptly, again until they confirm, and never in the way of an answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from appliance.config.model import Cdn
from appliance.doctor.caches import cdn
from appliance.doctor.findings import Level
from appliance.domain.errors import PurgeFailed
from appliance.lifecycle import purging
from tests.support.host import DAY_S, Host, OpenHost, bearer, problem
from tests.support.programs import free_port
from tests.support.rows import image as sample_image
from tests.support.rows import slug
from tests.support.server_process import serving
from tests.support.shared_caches import StandIn, stand_in
from tests.support.waiting import until

AGAIN_S = 61


@pytest.fixture
async def cache() -> AsyncIterator[StandIn]:
    async with stand_in("cloudflare") as one:
        yield one


@pytest.fixture
async def host(open_host: OpenHost, cache: StandIn) -> Host:
    return await open_host(cdn=cache.config())


@pytest.fixture
def rarely_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a minute, a purge that failed is made again by the test alone."""
    monkeypatch.setattr(purging, "FIRST_PAUSE_S", purging.MAX_PAUSE_S)


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg)


# --- what is told -------------------------------------------------------------------------------------------------


async def test_a_deleted_image_is_purged_at_once_and_once_more(
    host: Host, cache: StandIn, mine: dict[str, Any]
) -> None:
    await host.delete(mine["slug"], mine["delete_token"])
    await until(lambda: cache.forgotten == [mine["slug"]])
    await host.appliance.purger.purge_due()
    assert cache.forgotten == [mine["slug"]]
    host.clock.forward(AGAIN_S)  # for what was on its way to the cache when the first purge came by
    assert await host.appliance.purger.purge_due() == 1
    assert await host.appliance.purger.purge_due() == 0
    assert cache.forgotten == [mine["slug"]] * 2
    assert host.counted("purged_tags_total") == 2


async def test_expired_images_are_purged_in_few_calls(host: Host, cache: StandIn, jpeg: bytes) -> None:
    slugs = [(await host.upload(jpeg))["slug"] for _ in range(3)]
    host.clock.forward(366 * DAY_S)
    async with host.appliance.purger.purging:  # so that it comes by when all have ended
        await host.appliance.image_lifecycle.end(clock_confirmed=True)
    await until(lambda: set(cache.forgotten) == set(slugs))
    assert len(cache.calls) == 1
    host.clock.forward(AGAIN_S)
    assert await host.appliance.purger.purge_due() == 0


@pytest.mark.parametrize("changes", [{"title": "A cat"}, {"alt": "A cat"}, {"expires_in": "1d"}])
async def test_a_change_is_purged(host: Host, cache: StandIn, mine: dict[str, Any], changes: dict[str, str]) -> None:
    assert (await host.patch(mine["slug"], mine["delete_token"], **changes)).status == 200
    await until(lambda: cache.forgotten == [mine["slug"]])


async def test_locking_purges_shared_caches(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    assert (await host.patch(mine["slug"], mine["delete_token"], passphrase="correct horse")).status == 200
    await until(lambda: cache.forgotten == [mine["slug"]])


async def test_an_undo_is_purged(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    await host.delete(mine["slug"], mine["delete_token"])
    await until(lambda: cache.forgotten == [mine["slug"]])
    await host.patch(mine["slug"], mine["delete_token"], deleted=False)
    await until(lambda: len(cache.forgotten) > 1)
    assert set(cache.forgotten) == {mine["slug"]}


async def test_what_changes_for_nobody_is_not_purged(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    await host.get(f"/i/{mine['slug']}/small.jpg")
    await host.appliance.shipper.check_and_enqueue()
    await host.appliance.prewarmer.prewarm_batch()
    await host.appliance.image_lifecycle.sync_records()
    assert await host.appliance.purger.purge_due() == 0
    assert cache.calls == []


async def test_an_album_is_purged_under_its_own_tag(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    made = await (await host.client.post("/api/v1/albums", json={"images": [mine["slug"]]})).json()
    await host.client.delete(f"/api/v1/albums/{made['slug']}", headers=bearer(made["delete_token"]))
    await until(lambda: cache.forgotten == [made["slug"]])


async def test_without_a_purge_nothing_is_owed(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host()
    mine = await host.upload(jpeg)
    await host.delete(mine["slug"], mine["delete_token"])
    assert await host.appliance.catalogue.purges.due(int(host.clock()), 10) == []


# --- until it is confirmed ----------------------------------------------------------------------------------------


async def test_no_answer_waits_for_a_cache_that_hangs(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    cache.hangs_until = asyncio.Event()
    assert (await host.delete(mine["slug"], mine["delete_token"])).status == 204
    await problem(await host.get(f"/i/{mine['slug']}/original"), "gone")
    assert await host.erase() == 1  # nor do the bytes
    cache.hangs_until.set()
    await until(lambda: cache.forgotten == [mine["slug"]])


@pytest.mark.usefixtures("rarely_retried")
async def test_a_failed_purge_is_made_again(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    cache.refusals = [web.Response(status=503), web.Response(status=429, headers={"Retry-After": "1"})]
    await host.delete(mine["slug"], mine["delete_token"])
    await until(lambda: host.counted("purge_failures_total") == 1)
    host.clock.forward(5)
    with pytest.raises(PurgeFailed, match="429"):
        await host.appliance.purger.purge_due()
    assert (host.counted("purge_waiting_tags"), host.counted("purge_lag_seconds")) == (1, 5)
    await host.appliance.purger.purge_due()
    assert cache.forgotten == [mine["slug"]]
    assert (host.counted("purge_waiting_tags"), host.counted("purge_lag_seconds")) == (0, 0)


@pytest.mark.usefixtures("rarely_retried")
async def test_a_purge_that_becomes_due_again_while_it_runs_stays_due(
    host: Host, cache: StandIn, mine: dict[str, Any]
) -> None:
    rows, now_s = host.appliance.catalogue.purges, int(host.clock())
    cache.refusals = [web.Response(status=503)]
    await host.delete(mine["slug"], mine["delete_token"])
    await until(lambda: host.counted("purge_failures_total") == 1)
    owed = await rows.due(now_s, 10)
    await host.patch(mine["slug"], mine["delete_token"], deleted=False)
    await rows.confirm(owed, again_s=now_s + AGAIN_S)
    (still,) = await rows.due(now_s, 10)
    assert (still.tag, still.rounds) == (mine["slug"], 2)


@pytest.mark.usefixtures("rarely_retried")
async def test_an_erased_image_is_still_purged(host: Host, cache: StandIn, mine: dict[str, Any]) -> None:
    cache.refusals = [web.Response(status=503)]
    await host.delete(mine["slug"], mine["delete_token"])
    await until(lambda: host.counted("purge_failures_total") == 1)
    assert await host.erase() == 1
    await host.appliance.purger.purge_due()
    assert cache.forgotten == [mine["slug"]]


async def test_more_than_a_call_takes_goes_in_several(host: Host, cache: StandIn) -> None:
    async with host.appliance.purger.purging:
        await _expire_many(host, 250)
    await host.appliance.purger.purge_due()
    await until(lambda: len(cache.forgotten) == 250)
    assert [len(call) for call in cache.calls] == [100, 100, 50]


async def _expire_many(host: Host, count: int) -> None:
    rows, now_s = host.appliance.catalogue.images, int(host.clock())
    await asyncio.gather(*(rows.add(sample_image(number, expires_s=now_s)) for number in range(count)))
    await rows.expire([slug(number) for number in range(count)], now_s=now_s, erase_after_s=now_s + DAY_S)


async def test_kill_9_between_a_deletion_and_its_purge_loses_nothing(tmp_path: Path, jpeg: bytes) -> None:
    async with stand_in("http") as cache:
        away = f"http://127.0.0.1:{free_port()}"
        environment = {"APPLIANCE_CDN_PURGE": "http", "APPLIANCE_CDN_URLS": away}
        async with serving(tmp_path / "data", **environment) as served, aiohttp.ClientSession(served.url) as session:
            async with session.post("/api/v1/images?filename=a.jpg", data=jpeg) as reply:
                mine = await reply.json()
            where, headers = f"/api/v1/images/{mine['slug']}", bearer(mine["delete_token"])
            async with session.delete(where, headers=headers) as reply:
                assert reply.status == 204
            served.kill()
            served.environment["APPLIANCE_CDN_URLS"] = cache.url
            await served.start()
            await until(lambda: cache.forgotten == [mine["slug"]], "the next start makes the purge")


# --- how long caches may keep -------------------------------------------------------------------------------------

SHARED = ["small.jpg", "original", "preview.jpg"]


@pytest.mark.parametrize("path", SHARED)
async def test_shared_caches_keep_longer_than_browsers(host: Host, mine: dict[str, Any], path: str) -> None:
    for _ in range(2):  # made, and from memory
        reply = await host.get(f"/i/{mine['slug']}/{path}")
        assert reply.headers["Cache-Control"] == "public, max-age=3600, s-maxage=2592000"
    known = await host.get(f"/i/{mine['slug']}/{path}", If_None_Match=reply.headers["ETag"])
    assert (known.status, known.headers["Cache-Control"]) == (304, reply.headers["Cache-Control"])


@pytest.mark.parametrize("path", SHARED)
async def test_nobody_keeps_anything_past_the_expiry(host: Host, jpeg: bytes, path: str) -> None:
    mine = await host.upload(jpeg, expires_in="3d")
    for passed_s in (0, 1, DAY_S, 3599, 1, DAY_S, DAY_S - 7201, 1, 3500, 95):
        host.clock.forward(passed_s)
        reply = await host.get(f"/i/{mine['slug']}/{path}")
        left_s = _left_s(host, mine)
        ages = dict(part.split("=") for part in reply.headers["Cache-Control"].split(", ")[1:])
        assert int(ages["max-age"]) == min(3600, left_s)
        assert int(ages["s-maxage"]) == left_s


def _left_s(host: Host, mine: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(mine["expires_at"]).timestamp() - host.clock.now_s)


async def test_what_differs_by_accept_is_for_browsers_alone(host: Host, mine: dict[str, Any]) -> None:
    reply = await host.get(f"/i/{mine['slug']}/small")
    assert reply.headers["Cache-Control"] == "private, max-age=3600"


@pytest.mark.parametrize("path", ["/", "/images", "/a", "/manifest.webmanifest"])
async def test_what_is_in_one_language_is_for_browsers_alone(host: Host, path: str) -> None:
    reply = await host.get(path, Accept_Language="de")
    assert "Accept-Language" in reply.headers.getall("Vary")
    assert reply.headers["Cache-Control"] == "private, max-age=300"


async def test_without_a_purge_shared_caches_keep_as_long_as_browsers(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host()
    mine = await host.upload(jpeg)
    reply = await host.get(f"/i/{mine['slug']}/small.jpg")
    assert reply.headers["Cache-Control"] == "public, max-age=3600"


async def test_errors_and_what_is_gone_are_never_kept(host: Host, mine: dict[str, Any]) -> None:
    await host.delete(mine["slug"], mine["delete_token"])
    slug = mine["slug"]
    for path in (f"/i/{slug}", f"/i/{slug}/small.jpg", f"/i/{slug}/nothing.jpg", f"/iiif/3/{slug}/info.json", "/i/x"):
        assert (await host.get(path)).headers["Cache-Control"] == "no-store", path


async def test_whatever_shows_an_image_carries_its_tag(host: Host, mine: dict[str, Any]) -> None:
    slug = mine["slug"]
    album = await (await host.client.post("/api/v1/albums", json={"images": [slug]})).json()
    paths = [f"/i/{slug}", f"/i/{slug}/small.jpg", f"/i/{slug}/small", f"/i/{slug}/original", f"/i/{slug}.jpg"]
    paths += [
        f"/i/{slug}/preview.jpg",
        f"/i/{slug}/qr.svg",
        f"/iiif/3/{slug}/info.json",
        f"/iiif/3/{slug}/full/max/0/default.jpg",
    ]
    paths += [f"/oembed?url={mine['url']}", f"/a/{album['slug']}/{slug}"]
    for path in paths:
        reply = await host.get(path)
        assert reply.status == 200, path
        assert slug in reply.headers["Cache-Tag"].split(","), path
        assert slug in reply.headers["Surrogate-Key"].split(" "), path
    assert (await host.get(f"/a/{album['slug']}")).headers["Cache-Tag"] == album["slug"]
    assert (await host.get(f"/a/{album['slug']}/zip")).headers["Cache-Control"] == "no-store"


# --- what the doctor says -----------------------------------------------------------------------------------------


async def test_the_doctor_purges_a_tag_that_nothing_carries(host: Host, cache: StandIn) -> None:
    (finding,) = [finding async for finding in cdn(host.appliance.config)]
    assert (finding.level, cache.forgotten) == (Level.OK, ["appliance-doctor"])


async def test_the_doctor_finds_a_cache_that_takes_no_purges(host: Host, cache: StandIn) -> None:
    cache.refusals = [web.Response(status=403)]
    (finding,) = [finding async for finding in cdn(host.appliance.config)]
    assert finding.level is Level.FAULT
    assert "Check the token" in finding.words


async def test_the_doctor_finds_purges_that_nobody_makes_any_more(
    host: Host, cache: StandIn, mine: dict[str, Any]
) -> None:
    cache.refusals = [web.Response(status=503)] * 100
    await host.delete(mine["slug"], mine["delete_token"])
    (waiting,) = [finding async for finding in cdn(replace(host.appliance.config, cdn=Cdn()))]
    assert waiting.level == Level.WARN
    assert waiting.words.startswith("purges are pending (1), but")
    fault, late = [finding async for finding in cdn(host.appliance.config)]
    assert (fault.level, late.level) == (Level.FAULT, Level.WARN)
