"""What messengers and phones make of the host: cards of links, the manifest with its share target, curl's one-liner."""

import asyncio
import re
import shlex
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from appliance.domain.renditions import Format
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.programs import require
from tests.support.server_process import serving

BASE = "http://127.0.0.1:8080"


async def tags(host: Host, path: str) -> dict[str, list[str]]:
    """The OpenGraph and Twitter tags of a page, in their order."""
    page = await (await host.get(path, Accept="text/html")).text()
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', page):
        found.setdefault(name, []).append(unescape(content))
    return found


async def shown(host: Host, url: str) -> tuple[str, bytes]:
    reply = await host.get(url.removeprefix(BASE))
    assert reply.status == 200
    return reply.content_type, await reply.read()


# --- cards --------------------------------------------------------------------------------------------------------


async def test_a_card_names_a_jpeg_with_its_size_and_description(host: Host) -> None:
    slug = (await host.upload(pictures.camera_photo(), alt='A "cat"'))["slug"]
    found = await tags(host, f"/i/{slug}")
    assert found["og:image:type"] == ["image/jpeg"]
    assert found["og:image:alt"] == found["twitter:image:alt"] == found["og:description"] == ['A "cat"']
    assert found["twitter:card"] == ["summary_large_image"]
    assert found["og:image"] == found["twitter:image"]
    media_type, data = await shown(host, found["og:image"][0])
    assert media_type == "image/jpeg"
    assert len(data) <= 300_000
    assert (
        pictures.opened(data).size == (int(found["og:image:width"][0]), int(found["og:image:height"][0])) == (1024, 836)
    )


async def test_a_preview_with_too_many_bytes_gives_way_to_a_smaller_one(host: Host) -> None:
    noise = Image.effect_noise((1600, 1200), 120).convert("RGB")
    slug = (await host.upload(pictures.saved(noise, "jpeg", quality=95)))["slug"]
    medium = await (await host.get(f"/i/{slug}/medium.jpg")).read()
    _, data = await shown(host, f"/i/{slug}/preview.jpg")
    assert len(data) <= 300_000 < len(medium)
    assert pictures.opened(data).size == (512, 384)


async def test_a_picture_with_alpha_has_a_jpeg_too(host: Host) -> None:
    slug = (await host.upload(pictures.alpha_png(), "a.png"))["slug"]
    found = await tags(host, f"/i/{slug}")
    media_type, data = await shown(host, found["og:image"][0])
    assert (media_type, pictures.opened(data).mode) == ("image/jpeg", "RGB")


async def test_an_animation_names_its_gif_first_and_a_still_last(host: Host) -> None:
    slug = (await host.upload(pictures.animated("webp"), "a.webp"))["slug"]
    found = await tags(host, f"/i/{slug}")
    assert found["og:image:type"] == ["image/gif", "image/jpeg"]
    assert found["twitter:image"] == found["og:image"][1:]
    moving, still = [pictures.opened((await shown(host, url))[1]) for url in found["og:image"]]
    assert getattr(moving, "n_frames", 1) == 6
    assert getattr(still, "n_frames", 1) == 1


async def test_a_card_without_a_description_tells_figures(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    assert (await tags(host, f"/i/{slug}"))["og:description"][0].startswith("640 × 480 pixels · ")


async def test_an_album_shows_its_first_picture(host: Host, jpeg: bytes) -> None:
    images = [await host.upload(data) for data in (jpeg, pictures.png())]
    body = {"images": [image["slug"] for image in images], "title": "Summer"}
    album = await (await host.client.post("/api/v1/albums", json=body)).json()
    found = await tags(host, f"/a/{album['slug']}")
    assert found["og:title"] == found["twitter:title"] == ["Summer"]
    assert found["og:image"] == [f"{BASE}/i/{images[0]['slug']}/preview.jpg"]
    assert found["og:description"] == ["2 images"]


async def test_a_preview_is_cached_as_every_size_is(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    first = await host.get(f"/i/{slug}/preview.jpg")
    assert "max-age" in first.headers["Cache-Control"]
    again = await host.get(f"/i/{slug}/preview.jpg", If_None_Match=first.headers["ETag"])
    assert again.status == 304
    assert (await host.get("/i/00000000000000000/preview.jpg")).status == 404


async def test_a_host_without_jpegs_names_what_it_makes(open_host: OpenHost, config: Any, jpeg: bytes) -> None:
    from dataclasses import replace

    host = await open_host(renditions=replace(config.renditions, formats=(Format.WEBP,)))
    slug = (await host.upload(pictures.alpha_png(), "a.png"))["slug"]
    found = await tags(host, f"/i/{slug}")
    assert found["og:image:type"] == ["image/webp"]
    await shown(host, found["og:image"][0])
    assert (await host.get(f"/i/{slug}/preview.jpg")).status == 404


# --- the manifest -------------------------------------------------------------------------------------------------


async def manifest(host: Host) -> dict[str, Any]:
    page = await (await host.get("/", Accept="text/html")).text()
    link = re.search(r'<link rel="manifest" href="([^"]+)">', page)
    assert link
    reply = await host.get(link[1], Accept_Language="de")
    assert (reply.status, reply.content_type) == (200, "application/manifest+json")
    found: dict[str, Any] = await reply.json(content_type=None)
    return found


async def test_the_manifest_has_icons_of_the_sizes_that_it_names(host: Host) -> None:
    found = await manifest(host)
    assert found["lang"] == "de"
    assert {"any", "maskable"} == {icon["purpose"] for icon in found["icons"]}
    for icon in found["icons"]:
        media_type, data = await shown(host, icon["src"])
        assert media_type == icon["type"] == "image/png"
        width, height = pictures.opened(data).size
        assert icon["sizes"] == f"{width}x{height}"
    policy = (await host.get("/", Accept="text/html")).headers["Content-Security-Policy"]
    assert "manifest-src 'self'" in policy


async def test_a_photo_that_a_phone_shares_is_answered_with_its_links(host: Host, jpeg: bytes) -> None:
    target = (await manifest(host))["share_target"]
    field = target["params"]["files"][0]
    assert {"image/jpeg", "image/heic", ".png"} <= set(field["accept"])
    form = aiohttp.FormData()
    form.add_field(target["params"]["title"], "From my phone")
    form.add_field(field["name"], jpeg, filename="IMG 001.jpg", content_type="image/jpeg")
    reply = await host.client.request(target["method"], target["action"], data=form, headers={"Accept": "text/html"})
    assert reply.status == 201
    page = await reply.text()
    assert reply.headers["Location"] in page
    assert "From my phone" in page


async def test_the_shortcuts_of_the_manifest_lead_to_pages_in_its_language(host: Host) -> None:
    shortcuts = {each["name"]: each["url"] for each in (await manifest(host))["shortcuts"]}
    assert shortcuts == {"Hochladen": "/", "Meine Bilder": "/images"}
    for url in shortcuts.values():
        assert (await host.get(url)).status == 200


async def test_the_service_worker_is_asked_for_each_time_and_has_the_page_that_it_shows(host: Host) -> None:
    reply = await host.get("/sw.js", Accept_Language="de")
    assert (reply.status, reply.content_type) == (200, "text/javascript")
    assert (reply.headers["Cache-Control"], reply.headers["Vary"]) == ("private, no-cache", "Accept-Language")
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"
    assert "Keine Verbindung" in await reply.text()
    assert (await host.get("/sw.js", Accept_Language="de", If_None_Match=reply.headers["ETag"])).status == 304
    assert "No connection" in await (await host.get("/sw.js")).text()


# --- curl ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["cat.jpg", "my holiday photo.jpg", "Grüße aus Köln.jpg", "a#b?c%20&d.jpg", "写真.jpg"]
)
async def test_the_one_liner_prints_link_and_manage_link(tmp_path: Path, jpeg: bytes, name: str) -> None:
    if shutil.which("curl") is None:
        require("curl", "Debian's package of that name brings it")
    (tmp_path / name).write_bytes(jpeg)
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        async with session.get(served.url) as reply:
            said = re.search(r'id="code-curl"[^>]*value="([^"]+)"|id="curl"[^>]*value="([^"]+)"', await reply.text())
        assert said
        line = unescape(said[1] or said[2])
        assert line.endswith(" -T cat.jpg")
        command = line.removesuffix("cat.jpg") + shlex.quote(name)
        running = await asyncio.create_subprocess_exec(
            "bash", "-c", command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        printed = (await running.communicate())[0].decode().splitlines()
        assert running.returncode == 0
        link, managing = printed
        assert managing.startswith(f"{link}#")
        api = link.replace("/i/", "/api/v1/images/")
        async with session.get(api) as reply:
            assert (await reply.json())["filename"] == name
        async with session.delete(api, headers={"Authorization": f"Bearer {managing.partition('#')[2]}"}) as reply:
            assert reply.status == 204
