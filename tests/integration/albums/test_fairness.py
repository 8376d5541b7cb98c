"""Albums that one address asks for without end, and what another asks for meanwhile."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.albums.zip_download import AlbumZip
from appliance.config.model import Config
from appliance.http.keys import BACKGROUND_RENDERER, DOWNLOADS
from appliance.http.pages.templates import PageTemplates
from appliance.http.views import album_zip
from tests.support.albums import made, patch, post, shown, uploaded
from tests.support.host import Host, OpenHost, problem
from tests.support.waiting import until

FLOOD, OTHER = "203.0.113.1", "203.0.113.2"


class Printer:
    """Renders the pages of albums one by one, each when it is let go, and notes whose they are."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.goes_on = threading.Semaphore(0)
        render, printer = PageTemplates.render, self

        def held(templates: PageTemplates, template: str, **values: Any) -> str:
            if template == "album.html":
                printer.begun.append(values["album"].slug)
                printer.goes_on.acquire()
            return render(templates, template, **values)

        patch.setattr(PageTemplates, "render", held)


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Printer]:
    printer = Printer(monkeypatch)
    yield printer
    printer.goes_on.release(1000)


@pytest.fixture
async def host(open_host: OpenHost, config: Config) -> Host:
    return await open_host(server=replace(config.server, trusted_proxies=("127.0.0.1",)))


async def albums_of(host: Host, count: int) -> list[dict[str, Any]]:
    images = await uploaded(host, 1)
    return [await made(host, images) for _ in range(count)]


def ask(host: Host, album: dict[str, Any], address: str) -> "asyncio.Task[ClientResponse]":
    return asyncio.create_task(host.get(f"/a/{album['slug']}", X_Forwarded_For=address))


async def until_waiting(host: Host, count: int) -> None:
    renderer = host.client.app[BACKGROUND_RENDERER]
    await until(lambda: renderer.waiting == count)


async def test_the_album_of_one_address_does_not_wait_for_those_that_another_asks_for(
    host: Host, printer: Printer
) -> None:
    albums = await albums_of(host, 8)
    flood = [ask(host, album, FLOOD) for album in albums[1:]]
    await until(lambda: len(printer.begun) == 1)
    await until_waiting(host, 6)
    view = ask(host, albums[0], OTHER)
    await until_waiting(host, 7)
    printer.goes_on.release(2)
    assert (await view).status == 200
    assert printer.begun[1] == albums[0]["slug"]
    printer.goes_on.release(100)
    assert {(await reply).status for reply in flood} == {200}


async def test_one_who_wants_an_album_that_a_flood_waits_for_does_not_wait_for_the_flood(
    host: Host, printer: Printer
) -> None:
    albums = await albums_of(host, 6)
    flood = [ask(host, album, FLOOD) for album in albums]
    await until_waiting(host, 5)
    view = ask(host, albums[-1], OTHER)
    answers = host.client.app[BACKGROUND_RENDERER].answers
    await until(lambda: [len(flight.clients) for flight in answers.flights].count(2) == 1)
    printer.goes_on.release(2)
    assert (await view).status == 200
    printer.goes_on.release(100)
    await asyncio.gather(*flood)


async def test_an_address_with_its_share_waiting_is_told_to_come_again_before_anything_is_done(
    host: Host, printer: Printer
) -> None:
    host.client.app[BACKGROUND_RENDERER].max_waiting = 8
    albums = await albums_of(host, 9)
    images = (await shown(host, albums[0]))["images"]
    flood = [ask(host, album, FLOOD) for album in albums[:8]]
    await until_waiting(host, 7)
    refused = await host.get(f"/a/{albums[8]['slug']}", X_Forwarded_For=FLOOD)
    assert refused.headers["Retry-After"] == "2"
    assert (await problem(refused, "busy"))["limit"] == 8
    host.client.session.headers["X-Forwarded-For"] = FLOOD
    await problem(await post(host, images=[images[0]["slug"]]), "busy")
    await problem(await patch(host, albums[8], title="Changed"), "busy")
    del host.client.session.headers["X-Forwarded-For"]
    other = ask(host, albums[8], OTHER)
    await until_waiting(host, 8)
    printer.goes_on.release(100)
    assert (await other).status == 200
    assert {(await reply).status for reply in flood} == {200}
    assert (await shown(host, albums[8]))["title"] != "Changed"


class Zips:
    """Counts the listings of zips."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.built = 0
        zips = self

        class Counted(AlbumZip):
            def __init__(self, *given: Any) -> None:
                zips.built += 1
                super().__init__(*given)

        patch.setattr(album_zip, "AlbumZip", Counted)


@pytest.fixture
def zips(monkeypatch: pytest.MonkeyPatch) -> Zips:
    return Zips(monkeypatch)


async def test_the_length_of_a_zip_is_worked_out_once_until_the_album_changes(host: Host, zips: Zips) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    path = f"/a/{album['slug']}/zip"
    heads = await asyncio.gather(*(host.client.head(path) for _ in range(9)))
    lengths = {head.headers["Content-Length"] for head in heads}
    assert zips.built == 1
    assert (await patch(host, album, remove=[images[0]["slug"]])).status == 200
    assert (await host.client.head(path)).headers["Content-Length"] not in lengths
    assert zips.built == 2


async def test_a_download_without_a_place_lists_nothing(host: Host, zips: Zips) -> None:
    album = await made(host, await uploaded(host, 1))
    downloads = host.client.app[DOWNLOADS]
    limit, downloads.limit = downloads.limit, 0
    await problem(await host.get(f"/a/{album['slug']}/zip"), "busy")
    assert zips.built == 0
    downloads.limit = limit
    assert (await host.get(f"/a/{album['slug']}/zip")).status == 200
    assert zips.built == 1
