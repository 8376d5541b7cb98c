"""Embed codes of an image: its link in the markup of web pages, forums and notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from appliance.config.model import Config
from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, distinct, fit
from appliance.http.embedding import embedded_format
from appliance.http.links import Links
from appliance.http.localization.formatting import pixels
from appliance.http.localization.languages import ENGLISH, Language
from appliance.http.pages.rendition_links import preset_label

EMBEDDED_PX = 1024
"""The box of the size that is chosen at first: as wide as the text of most pages and forums."""


@dataclass(frozen=True, slots=True)
class CopyCode:
    """One text to copy; `name` is a stable id for its field."""

    name: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class SizedCodes:
    """The codes that show an image in one size; `name` is a preset's, or `original`."""

    name: str
    label: str
    pixels: str
    codes: Sequence[CopyCode]
    is_chosen: bool = False


def link_codes(image: Image, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """The links to the image's page and to the image: the original if browsers show it, else the largest size.

    Of a closed image only the page, where it is opened.
    """
    links, _ = Links.of(config), language.gettext
    page = CopyCode("link", _("Page link"), links.share(image.slug))
    presets = _presets(image, config)
    if image.is_closed:
        return [page]
    if not presets:
        return [page, CopyCode("direct", _("Direct link"), links.file(image.slug, image.media_type))]
    direct = _original(image, links) or _address(image, presets[-1], config)
    return [page, CopyCode("direct", _("Direct image link"), direct)]


def copy_codes(image: Image, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """The links, and the codes that show a size for reading; only links if the image can't be resized."""
    presets, (page, *direct) = _presets(image, config), link_codes(image, config, language)
    if not presets or image.is_closed:
        return [page, *direct]
    chosen = next(sized for sized in sized_codes(image, config, language) if sized.is_chosen)
    small = _address(image, presets[0], config)
    forum = CopyCode("forum", language.gettext("Forum thumbnail"), _bbcode(page.text, small))
    return [page, *direct, *chosen.codes[1:], forum]


def sized_codes(image: Image, config: Config, language: Language = ENGLISH) -> list[SizedCodes]:
    """The codes for each different size, the smallest first, and for the original if browsers show it.

    Empty if the image can't be resized.
    """
    presets, links, _ = _presets(image, config), Links.of(config), language.gettext
    if not presets:
        return []
    chosen = min(presets, key=lambda preset: abs(preset.box_px - EMBEDDED_PX))
    found = []
    for preset in presets:
        size, address = fit(image.width, image.height, preset), _address(image, preset, config)
        codes = _codes(image, config, language, address, size)
        label = preset_label(preset.name, language)
        found.append(SizedCodes(preset.name, label, pixels(*size), codes, is_chosen=preset == chosen))
    if (original := _original(image, links)) is not None:
        size = image.width, image.height
        codes = _codes(image, config, language, original, size)
        found.append(SizedCodes("original", _("Original"), pixels(*size), codes))
    return found


def description(image: Image) -> str:
    """The text alternative of the image: its description, else its title, else its file name."""
    return image.alt or image.title or image.filename


def markdown_text(text: str) -> str:
    flat = " ".join(text.split())
    return "".join("\\" + char if char in "\\[]`*_<>!&" else char for char in flat)


def _presets(image: Image, config: Config) -> list[Preset]:
    """The presets that give different sizes, the smallest first; none if the image can't be resized."""
    return [] if image.original_only is not None else distinct(image.width, image.height, config.renditions.presets)


def _original(image: Image, links: Links) -> str | None:
    """The original's address with its extension, if every browser shows the file."""
    spec = BY_MEDIA_TYPE.get(image.media_type)
    return links.file(image.slug, image.media_type) if spec is not None and spec.is_in_browsers else None


def _address(image: Image, preset: Preset, config: Config) -> str:
    return Links.of(config).rendition(image.slug, preset.name, embedded_format(image, preset, config.renditions))


def _codes(image: Image, config: Config, language: Language, source: str, size: tuple[int, int]) -> list[CopyCode]:
    """The codes that show `source` and link to the image's page."""
    page = Links.of(config).share(image.slug)
    return [
        CopyCode("image", language.gettext("Image link"), source),
        CopyCode("html", "HTML", _html(image, size, page, source)),
        CopyCode("markdown", "Markdown", f"[![{markdown_text(description(image))}]({source})]({page})"),
        CopyCode("bbcode", "BBCode", _bbcode(page, source)),
    ]


def _bbcode(page: str, source: str) -> str:
    return f"[url={page}][img]{source}[/img][/url]"


def _html(image: Image, size: tuple[int, int], page: str, source: str) -> str:
    alt = escape(" ".join(description(image).split()))
    return f'<a href="{page}"><img src="{source}" width="{size[0]}" height="{size[1]}" alt="{alt}"></a>'
