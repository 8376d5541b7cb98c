"""Embed codes of an image: its link in the markup of web pages, forums and notes."""

from dataclasses import dataclass
from html import escape

from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, fit
from appliance.http.links import Links
from appliance.http.localization.languages import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class CopyCode:
    """One text to copy; `name` is a stable id for its field."""

    name: str
    label: str
    text: str


def copy_codes(image: Image, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """Codes that show the image and link to its page; only links if the image can't be resized."""
    links, _ = Links.of(config), language.gettext
    page = links.share(image.slug)
    presets = sorted(config.renditions.presets, key=lambda preset: preset.box_px)
    if image.original_only is not None or not presets:
        direct = links.file(image.slug, image.media_type)
        return [CopyCode("link", _("Page link"), page), CopyCode("direct", _("Direct link"), direct)]
    inline = config.renditions.preset("medium") or presets[-1]
    shown, small = (links.rendition(image.slug, preset.name, image.linked_format) for preset in (inline, presets[0]))
    largest = links.rendition(image.slug, presets[-1].name, image.linked_format)
    return [
        CopyCode("link", _("Page link"), page),
        CopyCode("direct", _("Direct image link"), largest),
        CopyCode("html", "HTML", _html(image, inline, page, shown)),
        CopyCode("markdown", "Markdown", f"[![{markdown_text(description(image))}]({shown})]({page})"),
        CopyCode("bbcode", "BBCode", f"[url={page}][img]{shown}[/img][/url]"),
        CopyCode("forum", _("Forum thumbnail"), f"[url={page}][img]{small}[/img][/url]"),
    ]


def description(image: Image) -> str:
    """The text alternative of the image: its description, else its title, else its file name."""
    return image.alt or image.title or image.filename


def _html(image: Image, preset: Preset, page: str, source: str) -> str:
    width, height = fit(image.width, image.height, preset.box_px)
    alt = escape(" ".join(description(image).split()))
    return f'<a href="{page}"><img src="{source}" width="{width}" height="{height}" alt="{alt}"></a>'


def markdown_text(text: str) -> str:
    flat = " ".join(text.split())
    return "".join("\\" + char if char in "\\[]`*_<>!&" else char for char in flat)
