"""The large image of a page: its responsive sources, placeholder, link, and deep zoom."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.config.model import Renditions
from appliance.domain.formats import FORMATS
from appliance.domain.model import Image
from appliance.domain.renditions import Format
from appliance.http import first_frames, links
from appliance.http.localization.languages import Language
from appliance.http.pages.rendition_links import RenditionLink

_BROWSER_TYPES = frozenset(spec.media_type for spec in FORMATS if spec.is_in_browsers)
PLACEHOLDER_TYPE = Format.WEBP.media_type


@dataclass(frozen=True, slots=True)
class ImageFigure:
    """An image as a page shows it.

    `shown` is the largest size, None if the image can't be resized; `srcset` has all widths. `target` is where a click
    leads. `placeholder` is a data URL shown until the image loads, `zoom_source` the info.json of the deep zoom, and
    `still_note` says why an animation doesn't play.
    """

    image: Image
    shown: RenditionLink | None
    srcset: str
    target: str
    placeholder: str | None
    zoom_source: str | None
    still_note: str | None

    @property
    def height(self) -> int:
        """Height for the original's width at the rendition's rounded aspect ratio; prevents layout shift."""
        assert self.shown is not None
        return round(self.image.width * self.shown.height / self.shown.width)


def build_figure(
    image: Image, sizes: Sequence[RenditionLink], config: Renditions, language: Language, placeholder: bytes | None
) -> ImageFigure:
    """The figure for an image with these sizes (smallest first). An animation uses only the sizes that play it."""
    largest = len(first_frames.animated_presets(image, config)) or len(sizes)
    shown = sizes[largest - 1] if sizes else None
    return ImageFigure(
        image,
        shown,
        srcset=_srcset(sizes[:largest]),
        target=_click_target(image, shown),
        placeholder=_data_url(placeholder),
        zoom_source=_zoom_source(image, shown),
        still_note=first_frames.short_note(image, config, language),
    )


def _click_target(image: Image, shown: RenditionLink | None) -> str:
    """The original if browsers can show it, else the largest size."""
    if shown is None or image.media_type in _BROWSER_TYPES:
        return links.original_path(image.slug)
    return shown.path


def _zoom_source(image: Image, shown: RenditionLink | None) -> str | None:
    """None for animations, and for images that can't be resized."""
    return None if shown is None or image.animated else f"{links.iiif_path(image.slug)}/info.json"


def _srcset(sizes: Sequence[RenditionLink]) -> str:
    """Each width once: small images have the same size in several presets."""
    widths = {size.width: size.path for size in reversed(sizes)}
    return ", ".join(f"{path} {width}w" for width, path in sorted(widths.items()))


def _data_url(placeholder: bytes | None) -> str | None:
    if placeholder is None:
        return None
    return f"data:{PLACEHOLDER_TYPE};base64,{base64.b64encode(placeholder).decode()}"
