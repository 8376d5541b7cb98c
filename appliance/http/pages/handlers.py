"""The pages: upload, share, manage; and what other programs read about them."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import web

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.errors import (
    ApplianceError,
    FormatNotOffered,
    GoneImage,
    MalformedRequest,
    MissingToken,
    NoSuchPage,
    UnknownImage,
    WrongToken,
)
from appliance.domain.model import Ending, Image
from appliance.domain.upload_options import parse_duration
from appliance.http.api.integrations import oembed, sharex_uploader
from appliance.http.cache_tags import tags
from appliance.http.compression import takes_gzip
from appliance.http.keys import CLOCK, CONFIG, DELIVERY, MANAGEMENT
from appliance.http.links import share_path
from appliance.http.pages.gone import with_gone_page
from appliance.http.problems import headers_of, status_of
from appliance.http.requests import Form, form_of, is_known, pages_of, patience, positive_number, wants_page
from appliance.http.responses import json_answer
from appliance.http.views.pending import image_or_progress
from appliance.lifecycle.management import UNDO_S, Changes
from appliance.resumable import Progress

MAX_AGE_S = 300
IN_ONE_LANGUAGE = f"private, max-age={MAX_AGE_S}"  # shared caches would show it to readers of others: they ignore Vary
FRESH = {"Cache-Control": "no-store"}


def _page(text: str, status: int = 200, cache: str = "no-store") -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": cache})


def _problem_page(text: str, fault: ApplianceError) -> web.Response:
    response = _page(text, status=status_of(fault))
    response.headers.update(headers_of(fault))
    return response


async def show_upload(request: web.Request) -> web.Response:
    """GET /"""
    return _page(pages_of(request).upload_page(), cache=IN_ONE_LANGUAGE)


async def show_mine(request: web.Request) -> web.Response:
    """GET /images: my images, of which only the browser knows"""
    return _page(pages_of(request).mine_page(), cache=IN_ONE_LANGUAGE)


async def _gone(request: web.Request, slug: str, problem: ApplianceError | None = None) -> str:
    ended, until_s = await request.app[MANAGEMENT].ending(slug)
    ended = ended or Ending.UNFINISHED  # without an image or a tombstone: an upload whose time is over
    return pages_of(request).gone_page(slug, ended, restorable_until_s=until_s, problem=problem)


@with_gone_page(GoneImage, _gone)
async def show_share(request: web.Request) -> web.Response:
    """GET /i/{slug}"""
    found = await image_or_progress(request)
    if isinstance(found, Progress):
        return _page(pages_of(request).arriving_page(found))
    page = pages_of(request).share_page(found, await request.app[DELIVERY].glimpse(found))
    etag = f'"{hashlib.blake2b(page.encode(), digest_size=12).hexdigest()}"'
    response = _page(page, cache="public, no-cache")  # asked anew each time: owners see their changes at once
    if is_known(request, etag):
        response = web.Response(status=304, headers={"Cache-Control": "public, no-cache", "Vary": "Accept-Language"})
    response.headers.update({"ETag": etag, "X-Robots-Tag": "noindex"} | tags(found.slug))
    return response


@with_gone_page(GoneImage, _gone)
async def show_manage(request: web.Request) -> web.Response:
    """GET /i/{slug}/manage: the form; it changes nothing"""
    image = await request.app[DELIVERY].resolve(request.match_info["slug"])
    return _page(pages_of(request).manage_page(image))


async def manage(request: web.Request) -> web.Response:
    """POST /i/{slug}/manage: the forms of the share page and of the manage page"""
    management, pages, slug = request.app[MANAGEMENT], pages_of(request), request.match_info["slug"]
    form = await form_of(request)
    token, action = _field(form, "token").strip().rpartition("#")[2], _field(form, "action") or "save"
    try:
        if action == "delete":
            async with patience(request):
                image = await management.delete(slug, token)
            return _page(pages.deleted_page(image, token, undo_s=UNDO_S))
        if action in ("undo", "restore"):
            async with patience(request):
                image = await management.change(slug, token, Changes(restore=True))
            return _page(pages.manage_page(image, notice=pages.language.gettext("Image restored."), delete_token=token))
        if action != "save":
            raise MalformedRequest("The form asks for an unknown action.")
        async with patience(request):
            image = await management.change(slug, token, _wished(form, request.app[CLOCK]()))
    except UnknownImage:
        raise
    except ApplianceError as fault:
        return await _told_on_form(request, slug, form, fault)
    return _page(pages.manage_page(image, notice=pages.language.gettext("Saved."), delete_token=token))


async def _told_on_form(request: web.Request, slug: str, form: Form, fault: ApplianceError) -> web.Response:
    """A mistake is told where it was made, with what was typed, as long as the image is there to be managed."""
    try:
        image = await request.app[DELIVERY].resolve(slug)
    except GoneImage:
        if not wants_page(request) or isinstance(fault, GoneImage):
            raise fault from None
        return _problem_page(await _gone(request, slug, fault), fault)
    typed = replace(image, title=_typed(form, "title", image.title), alt=_typed(form, "alt", image.alt))
    token = "" if isinstance(fault, (MissingToken, WrongToken)) else _field(form, "token")
    page = pages_of(request).manage_page(typed, problem=fault, delete_token=token)
    return _problem_page(page, fault)


def _field(form: Form, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _wished(form: Form, now_s: float) -> Changes:
    expires_in = _field(form, "expires_in")
    return Changes(
        title=_text(form, "title"),
        alt=_text(form, "alt"),
        expires_s=int(now_s) + parse_duration(expires_in) if expires_in else None,
    )


def _typed(form: Form, name: str, unchanged: str | None) -> str | None:
    return _field(form, name) if name in form else unchanged


def _text(form: Form, name: str) -> str | Unchanged:
    return _field(form, name) if name in form else UNCHANGED


async def show_oembed(request: web.Request) -> web.Response:
    """GET /oembed?url=…&maxwidth=…&maxheight=…&format=json"""
    if request.query.get("format", "json") != "json":
        raise FormatNotOffered("oEmbed is available as JSON only. Leave out format, or use format=json.")
    image = await _image_of(request, request.query.get("url", ""))
    left_s = max(0, image.expires_s - int(request.app[CLOCK]()))
    reply = oembed(
        image,
        request.app[CONFIG],
        cache_age_s=min(MAX_AGE_S, left_s),
        max_width=positive_number(request, "maxwidth"),
        max_height=positive_number(request, "maxheight"),
    )
    return json_answer(reply, headers={"Cache-Control": f"public, max-age={min(MAX_AGE_S, left_s)}"} | tags(image.slug))


async def _image_of(request: web.Request, url: str) -> Image:
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    prefix, _, slug = path.rpartition("/")
    if not url or f"{prefix}/{slug}" != share_path(slug):
        raise NoSuchPage("url must be the percent-encoded link of a share page on this host.")
    if not url.startswith(request.app[CONFIG].server.base_url + "/"):
        raise NoSuchPage("This link doesn't belong to this host.")
    return await request.app[DELIVERY].resolve(slug)


async def show_sharex(request: web.Request) -> web.Response:
    """GET /sharex.sxcu"""
    headers = {"Content-Disposition": 'attachment; filename="sharex.sxcu"'} | FRESH
    return json_answer(sharex_uploader(request.app[CONFIG]), headers=headers)


async def show_manifest(request: web.Request) -> web.Response:
    """GET /manifest.webmanifest"""
    headers = {"Cache-Control": IN_ONE_LANGUAGE, "Vary": "Accept-Language"}
    text = json.dumps(pages_of(request).manifest(), ensure_ascii=False)
    return web.Response(text=text, content_type="application/manifest+json", headers=headers)


async def show_robots(_request: web.Request) -> web.Response:
    """GET /robots.txt: share pages may be fetched for previews, and say noindex themselves"""
    text = "User-agent: *\nDisallow: /api/\nDisallow: /i/*/manage\nDisallow: /a/*/manage\nDisallow: /a/*/zip\n"
    return web.Response(text=text, headers={"Cache-Control": "public, max-age=86400"})


async def show_static(request: web.Request) -> web.Response:
    """GET /static/{name}: for ever under an address with its version"""
    assets, name = pages_of(request).assets, request.match_info["name"]
    asset = assets.get(name)
    if asset is None:
        raise NoSuchPage()
    known = assets.is_current(name, request.query.get("v"))
    cache = "public, max-age=31536000, immutable" if known else f"public, max-age={MAX_AGE_S}"
    headers = {"Cache-Control": cache, "ETag": f'W/"{asset.version}"', "Content-Type": asset.media_type}
    if asset.gzipped is not None:
        headers["Vary"] = "Accept-Encoding"
    if is_known(request, f'"{asset.version}"'):
        return web.Response(status=304, headers=headers)
    if asset.gzipped is None or not takes_gzip(request):
        return web.Response(body=asset.data, headers=headers)
    return web.Response(body=asset.gzipped, headers=headers | {"Content-Encoding": "gzip"})


async def show_nothing(_request: web.Request) -> web.Response:
    """GET /{filename}, where only PUT is: for whoever looks, there is nothing"""
    raise NoSuchPage()


async def show_favicon(request: web.Request) -> web.Response:
    """GET /favicon.ico, which browsers ask for unbidden"""
    raise web.HTTPMovedPermanently(pages_of(request).assets.url("favicon.svg"))
