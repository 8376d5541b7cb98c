"""Copy codes: an image's links in the markup that pages, forums and notes take."""

from dataclasses import dataclass
from html import escape

from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, fit
from appliance.http.links import Links
from appliance.http.pages.languages import ENGLISH, Language


@dataclass(frozen=True, slots=True)
class CopyCode:
    """One text to copy; `name` is stable and tells the fields of a page apart."""

    name: str
    label: str
    text: str


def copy_codes(image: Image, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """Codes that show the picture and link to its page; plain links only when no rendition can be made."""
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
    """What stands for the picture where it can't be seen: the given description, else title, else file name."""
    return image.alt or image.title or image.filename


def _html(image: Image, preset: Preset, page: str, source: str) -> str:
    width, height = fit(image.width, image.height, preset)
    alt = escape(" ".join(description(image).split()))
    return f'<a href="{page}"><img src="{source}" width="{width}" height="{height}" alt="{alt}"></a>'


def markdown_text(text: str) -> str:
    flat = " ".join(text.split())
    return "".join("\\" + char if char in "\\[]`*_<>!&" else char for char in flat)
