"""Embed codes of an album: its link in the markup of web pages, forums and notes."""

from html import escape

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.http.links import Links, album_image_path
from appliance.http.localization.languages import ENGLISH, Language
from appliance.http.pages.embed_codes import CopyCode, description, markdown_text

MAX_IMAGES_IN_CODE = 60  # the code of a larger album would be longer than forums allow


def album_codes(contents: Contents, config: Config, language: Language = ENGLISH) -> list[CopyCode]:
    """The link; codes that show the first image and link to the album; and one that shows every image."""
    links, _ = Links.of(config), language.gettext
    page = links.album(contents.album.slug)
    codes = [CopyCode("link", _("Album link"), page)]
    shown = [image for image in contents.images if image.original_only is None]
    presets = sorted(config.renditions.presets, key=lambda preset: preset.box_px)
    if not shown or not presets:
        return codes
    small, inline = presets[0].name, (config.renditions.preset("medium") or presets[-1]).name
    cover = shown[0]
    source = links.rendition(cover.slug, inline, cover.linked_format)
    name = " ".join((contents.album.title or description(cover)).split())
    codes += [
        CopyCode("html", "HTML", f'<a href="{page}"><img src="{source}" alt="{escape(name)}"></a>'),
        CopyCode("markdown", "Markdown", f"[![{markdown_text(name)}]({source})]({page})"),
        CopyCode("bbcode", "BBCode", f"[url={page}][img]{source}[/img][/url]"),
    ]
    if len(shown) <= MAX_IMAGES_IN_CODE:
        every = " ".join(_bbcode(contents, image, links, small) for image in shown)
        codes.append(CopyCode("forum", _("All as forum thumbnails"), every))
    return codes


def _bbcode(contents: Contents, image: Image, links: Links, preset: str) -> str:
    page = links.absolute(album_image_path(contents.album.slug, image.slug))
    return f"[url={page}][img]{links.rendition(image.slug, preset, image.linked_format)}[/img][/url]"
