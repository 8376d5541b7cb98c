"""The files of the site: scripts, styles and icons, the web app manifest, the service worker, and robots.txt."""

import json

from aiohttp import web

from appliance.domain.errors import NoSuchPage
from appliance.http.compression import accepts_gzip
from appliance.http.etags import is_not_modified, page_etag
from appliance.http.pages.selection import IN_ONE_LANGUAGE, MAX_AGE_S, pages_of
from appliance.http.pages.service_worker import WORKER_POLICY

IMAGE_CRAWLERS = ("Googlebot-Image", "msnbot-media", "YandexImages", "Baiduspider-image")
"""The crawlers of image searches. Others may fetch images, because link previews obey robots.txt too."""
ROBOTS = (
    "".join(f"User-agent: {name}\n" for name in IMAGE_CRAWLERS)
    + "Disallow: /\n\n"
    + "User-agent: *\nDisallow: /api/\nDisallow: /i/*/manage\nDisallow: /a/*/manage\nDisallow: /a/*/zip\n"
)


async def show_static(request: web.Request) -> web.Response:
    """GET /static/{name}: cached for a year under an address with its version"""
    assets, name = pages_of(request).assets, request.match_info["name"]
    asset = assets.get(name)
    if asset is None:
        raise NoSuchPage()
    is_versioned = assets.is_current(name, request.query.get("v"))
    cache = "public, max-age=31536000, immutable" if is_versioned else f"public, max-age={MAX_AGE_S}"
    headers = {"Cache-Control": cache, "ETag": f'W/"{asset.version}"', "Content-Type": asset.media_type}
    if asset.gzipped is not None:
        headers["Vary"] = "Accept-Encoding"
    if is_not_modified(request, f'"{asset.version}"'):
        return web.Response(status=304, headers=headers)
    if asset.gzipped is None or not accepts_gzip(request):
        return web.Response(body=asset.data, headers=headers)
    return web.Response(body=asset.gzipped, headers=headers | {"Content-Encoding": "gzip"})


async def show_manifest(request: web.Request) -> web.Response:
    """GET /manifest.webmanifest"""
    headers = {"Cache-Control": IN_ONE_LANGUAGE, "Vary": "Accept-Language"}
    text = json.dumps(pages_of(request).manifest(), ensure_ascii=False)
    return web.Response(text=text, content_type="application/manifest+json", headers=headers)


async def show_worker(request: web.Request) -> web.Response:
    """GET /sw.js: at the root, because a service worker acts for no page above its own folder"""
    script = pages_of(request).service_worker
    etag = page_etag(script)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language", "ETag": etag}
    if is_not_modified(request, etag):
        return web.Response(status=304, headers=headers)
    headers["Content-Security-Policy"] = WORKER_POLICY
    return web.Response(body=script, content_type="text/javascript", charset="utf-8", headers=headers)


async def show_robots(_request: web.Request) -> web.Response:
    """GET /robots.txt: crawlers may fetch pages and images, which say noindex themselves, so that link previews work"""
    return web.Response(text=ROBOTS, headers={"Cache-Control": "public, max-age=86400"})


async def show_favicon(request: web.Request) -> web.Response:
    """GET /favicon.ico, which browsers request without being asked to"""
    raise web.HTTPMovedPermanently(pages_of(request).assets.url("favicon.svg"))


async def show_nothing(_request: web.Request) -> web.Response:
    """GET /{filename}: only PUT is meant for this address"""
    raise NoSuchPage()
