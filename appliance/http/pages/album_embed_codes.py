"""Embed codes of an album: its link, and all its images, in the markup of web pages, forums and notes."""

from collections.abc import Callable
from html import escape

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import Format
from appliance.http.links import Links, album_image_path
from appliance.http.localization.languages import ENGLISH, Language
from appliance.http.pages.embed_codes import CopyCode, description, markdown_text

ORIGINAL = "original"
"""The name of the size that every image has: itself."""


def album_codes(contents: Contents, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """The link, and codes that show the cover and link to the album."""
    links, _ = Links.of(config), language.gettext
    page, cover = links.album(contents.album.slug), contents.cover
    codes = [CopyCode("link", _("Album link"), page)]
    presets = sorted(config.renditions.presets, key=lambda preset: preset.box_px)
    if cover is None or not presets or contents.album.is_closed:
        return codes
    inline = (config.renditions.preset("medium") or presets[-1]).name
    source = _source(cover, inline, config)
    name = contents.album.title or description(cover)
    return [
        *codes,
        CopyCode("html", "HTML", _html(name, source, page)),
        CopyCode("markdown", "Markdown", _markdown(name, source, page)),
        CopyCode("bbcode", "BBCode", _bbcode(name, source, page)),
    ]


def sizes_of(config: Config) -> list[str]:
    """The sizes in which all images of an album can be embedded, from small to large, and the original."""
    presets = sorted(config.renditions.presets, key=lambda preset: preset.box_px)
    return [*(preset.name for preset in presets), ORIGINAL]


def image_codes(contents: Contents, size: str, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """Codes that show every image in this size, one per line; each leads to the image in the album."""
    links, _ = Links.of(config), language.gettext

    def every(markup: Callable[[str, str, str], str]) -> str:
        pages = [links.absolute(album_image_path(contents.album.slug, image.slug)) for image in contents.images]
        images = zip(contents.images, pages, strict=True)
        return "\n".join(markup(description(image), _source(image, size, config), page) for image, page in images)

    return [
        CopyCode("links", _("Direct image links"), every(lambda name, source, page: source)),
        CopyCode("html", "HTML", every(_html)),
        CopyCode("markdown", "Markdown", every(_markdown)),
        CopyCode("bbcode", "BBCode", every(_bbcode)),
    ]


def _source(image: Image, size: str, config: Config) -> str:
    """The file to show. A GIF stays one, because old forums refuse WebP; what can't be resized is its original."""
    links = Links.of(config)
    if size == ORIGINAL or image.original_only is not None:
        return links.file(image.slug, image.media_type)
    is_gif = image.media_type == Format.GIF.media_type and Format.GIF in config.renditions.formats
    return links.rendition(image.slug, size, Format.GIF if is_gif else image.linked_format)


def _html(name: str, source: str, page: str) -> str:
    return f'<a href="{page}"><img src="{source}" alt="{escape(" ".join(name.split()))}"></a>'


def _markdown(name: str, source: str, page: str) -> str:
    return f"[![{markdown_text(name)}]({source})]({page})"


def _bbcode(_name: str, source: str, page: str) -> str:
    return f"[url={page}][img]{source}[/img][/url]"
