"""FilePond and Dropzone, set up as docs/clients.md says, upload from a page of another site."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met
from tests.support.images import pictures
from tests.support.programs import node_module
from tests.support.waiting import until

OpenWidget = Callable[[str], Awaitable[Page]]
PAGE = """<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">
<input type="file" id="file"><form id="drop" class="dropzone"></form></html>"""
WORDS = """const words = (reply) => {
    try { return JSON.parse(reply).detail; } catch { return reply || "The host can't be reached."; }
};"""
FILEPOND = """(host) => {
    globalThis.uploads = [];
    globalThis.faults = [];
    FilePond.create(document.querySelector("#file"), {
        name: "file",
        server: {
            process: {
                url: `${host}/api/v1/images`,
                onload: (reply) => { uploads.push(JSON.parse(reply)); return reply; },
                onerror: words,
            },
            revert: (reply, done, failed) => {
                const { slug, delete_token } = JSON.parse(reply);
                const headers = { Authorization: `Bearer ${delete_token}` };
                fetch(`${host}/api/v1/images/${slug}`, { method: "DELETE", headers }).then(done, failed);
            },
        },
        labelFileProcessingError: (fault) => { faults.push(fault.body); return fault.body; },
    });
}"""
DROPZONE = """(host) => {
    globalThis.uploads = [];
    globalThis.faults = [];
    const dropzone = new Dropzone("#drop", {
        url: `${host}/api/v1/images`,
        createImageThumbnails: false,
        error(file, reply) {
            file.previewElement.classList.add("dz-error");
            file.previewElement.querySelector("[data-dz-errormessage]").textContent = words(reply);
        },
    });
    dropzone.on("success", (file, reply) => uploads.push(reply));
    const shown = (file) => file.previewElement.querySelector("[data-dz-errormessage]").textContent;
    dropzone.on("error", (file) => faults.push(shown(file)));
}"""
WIDGETS = {
    "FilePond": ("filepond/dist/filepond.js", FILEPOND, ".filepond--browser"),
    "Dropzone": ("dropzone/dist/dropzone-min.js", DROPZONE, ".dz-hidden-input"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def elsewhere() -> AsyncIterator[str]:
    """The address of a page of another site."""

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest_asyncio.fixture(loop_scope="session")
async def open_widget(site: Site, open_page: OpenPage, elsewhere: str) -> OpenWidget:
    async def open_(name: str) -> Page:
        script, setup, _ = WIDGETS[name]
        page = await open_page(elsewhere)
        await page.add_script_tag(path=node_module(script))
        await page.add_script_tag(content=WORDS)
        await page.evaluate(setup, site.url)
        return page

    return open_


async def choose(page: Page, name: str, filename: str, content: bytes) -> None:
    *_, chooser = WIDGETS[name]
    await page.set_input_files(chooser, {"name": filename, "mimeType": "image/jpeg", "buffer": content})


async def first(page: Page, list_name: str) -> Any:
    """The first of what the page has listed, once there is one."""

    async def is_there() -> bool:
        return bool(await page.evaluate(f"globalThis.{list_name}.length"))

    await until(is_there, f"something in {list_name}")
    return json.loads(await page.evaluate(f"JSON.stringify(globalThis.{list_name}[0])"))


@pytest.mark.parametrize("name", WIDGETS)
async def test_an_image_is_uploaded(site: Site, open_widget: OpenWidget, name: str) -> None:
    sent = pictures.photo(600, 400)
    page = await open_widget(name)
    await choose(page, name, "cat.jpg", sent)
    image = await first(page, "uploads")
    assert image["filename"] == "cat.jpg"
    async with site.session.get(image["original"]["url"]) as reply:
        assert await reply.read() == sent


@pytest.mark.parametrize("name", WIDGETS)
async def test_a_refusal_is_shown_in_its_own_words(open_widget: OpenWidget, name: str) -> None:
    page = await open_widget(name)
    await choose(page, name, "cat.jpg", b"hello")
    assert str(await first(page, "faults")).startswith("This file isn't an image")
    met(page).clear()  # the status of the refusal


async def test_what_filepond_removes_is_deleted(site: Site, open_widget: OpenWidget) -> None:
    page = await open_widget("FilePond")
    await choose(page, "FilePond", "cat.jpg", pictures.photo(600, 400))
    image = await first(page, "uploads")
    await page.locator(".filepond--action-revert-item-processing").dispatch_event("click")

    async def is_gone() -> bool:
        async with site.session.get(f"{site.url}/api/v1/images/{image['slug']}") as reply:
            return reply.status == 410

    await until(is_gone, "the end of the image")
