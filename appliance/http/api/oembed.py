"""oEmbed 1.0: what sites that embed a share page or an album ask for."""

from urllib.parse import urlsplit

from aiohttp import web

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.domain.errors import FormatNotOffered, MalformedRequest, NoSuchPage
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, fit
from appliance.http.cache_tags import tags
from appliance.http.closed import refuse_closed
from appliance.http.image_headers import remaining_s
from appliance.http.keys import ALBUMS, CONFIG, DELIVERY
from appliance.http.links import Links, album_path, share_path
from appliance.http.responses import json_answer
from appliance.http.site_name import site_name

MAX_AGE_S = 300


async def show_oembed(request: web.Request) -> web.Response:
    """GET /oembed?url=…&maxwidth=…&maxheight=…&format=json"""
    if request.query.get("format", "json") != "json":
        raise FormatNotOffered("oEmbed is available as JSON only. Leave out format, or use format=json.")
    shared = await _find_shared(request, request.query.get("url", ""))
    config, box = request.app[CONFIG], (_positive_number(request, "maxwidth"), _positive_number(request, "maxheight"))
    if isinstance(shared, Image):
        slug, max_age_s = shared.slug, min(MAX_AGE_S, remaining_s(request, shared.expires_s))
        reply = oembed(shared, config, cache_age_s=max_age_s, max_width=box[0], max_height=box[1])
    else:
        slug, max_age_s = shared.album.slug, min(MAX_AGE_S, remaining_s(request, shared.ends_s))
        reply = album_oembed(shared, config, cache_age_s=max_age_s, max_width=box[0], max_height=box[1])
    return json_answer(reply, headers={"Cache-Control": f"public, max-age={max_age_s}"} | tags(slug))


async def _find_shared(request: web.Request, url: str) -> Image | Contents:
    """The image or the album that the link shows. Raises NoSuchPage, Locked, AllLocked, and as a lookup does."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    slug = path.rpartition("/")[2]
    if not url or path not in (share_path(slug), album_path(slug)):
        raise NoSuchPage("url must be the percent-encoded link of a share page or an album on this host.")
    if not url.startswith(request.app[CONFIG].server.base_url + "/"):
        raise NoSuchPage("This link doesn't belong to this host.")
    if path == album_path(slug):
        contents = await request.app[ALBUMS].show(slug)
        refuse_closed(request, contents.album)
        return contents.opened()
    image = await request.app[DELIVERY].resolve(slug)
    refuse_closed(request, image)
    return image


def _positive_number(request: web.Request, name: str) -> int | None:
    """A whole number of at least 1 from the query. Raises MalformedRequest."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise MalformedRequest(f"{name} must be a whole number, 1 or greater.")
    return int(text)


def oembed(
    image: Image,
    config: Config,
    *,
    cache_age_s: int,
    max_width: int | None = None,
    max_height: int | None = None,
) -> dict[str, object]:
    """The oEmbed reply: a photo that fits the requested box (pixels), or a link when the image can't be resized.

    The largest preset that fits is chosen. In a box smaller than every preset, the smallest is declared scaled down.
    """
    links = Links.of(config)
    reply: dict[str, object] = {
        "version": "1.0",
        "type": "link",
        "title": image.title or image.filename,
        "provider_name": site_name(config),
        "provider_url": links.absolute("/"),
        "cache_age": cache_age_s,
    }
    if image.original_only is not None or not config.renditions.presets:
        return reply
    presets = sorted(config.renditions.presets, key=lambda preset: preset.box_px)
    fitting = [preset for preset in presets if _fits(_size(image, preset), max_width, max_height)]
    best = fitting[-1] if fitting else presets[0]
    width, height = _scaled(_size(image, best), max_width, max_height)
    reply |= {
        "type": "photo",
        "url": links.rendition(image.slug, best.name, image.linked_format),
        "width": width,
        "height": height,
    }
    if fitting:
        thumbnail_width, thumbnail_height = _size(image, fitting[0])
        reply |= {
            "thumbnail_url": links.rendition(image.slug, fitting[0].name, image.linked_format),
            "thumbnail_width": thumbnail_width,
            "thumbnail_height": thumbnail_height,
        }
    return reply


def album_oembed(
    contents: Contents,
    config: Config,
    *,
    cache_age_s: int,
    max_width: int | None = None,
    max_height: int | None = None,
) -> dict[str, object]:
    """The oEmbed reply for an album: a link, with its cover as the thumbnail."""
    cover = contents.cover or contents.images[0]
    reply = oembed(cover, config, cache_age_s=cache_age_s, max_width=max_width, max_height=max_height)
    kept = {name: value for name, value in reply.items() if name not in ("url", "width", "height")}
    return kept | {"type": "link", "title": contents.album.title or "Album"}


def _size(image: Image, preset: Preset) -> tuple[int, int]:
    return fit(image.width, image.height, preset)


def _fits(size: tuple[int, int], max_width: int | None, max_height: int | None) -> bool:
    width, height = size
    return width <= (max_width or width) and height <= (max_height or height)


def _scaled(size: tuple[int, int], max_width: int | None, max_height: int | None) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height)
    return max(1, int(width * scale)), max(1, int(height * scale))
