"""The large image of a page: its responsive sources, placeholder, link, and deep zoom."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.config.model import Renditions
from appliance.delivery.page_formats import LEAST_PX, page_presets, phone_preset
from appliance.domain.formats import FORMATS
from appliance.domain.model import Image
from appliance.domain.renditions import Format, is_tall
from appliance.http import first_frames, links
from appliance.http.localization.languages import Language
from appliance.http.pages.rendition_links import RenditionLink, distinct_links

_BROWSER_TYPES = frozenset(spec.media_type for spec in FORMATS if spec.is_in_browsers)
LIGHTER = (Format.AVIF, Format.WEBP)
"""Than JPEG, the lightest first."""
_FINE_SCREEN = "(min-resolution: 1.5dppx)"
_ROUNDED = 1.1
"""How far the shapes of two sizes may be apart because their pixels are whole ones."""
PLACEHOLDER_TYPE = Format.WEBP.media_type


@dataclass(frozen=True, slots=True)
class FigureSource:
    """The image in a lighter format, for browsers that know it and have a window that the `media` query describes."""

    media_type: str
    srcset: str
    media: str


@dataclass(frozen=True, slots=True)
class ImageFigure:
    """An image as a page shows it.

    `shown` is the largest size, None if the image can't be resized; `srcset` has the widths that are ready, and
    `sources` what is finished in lighter formats. `target` is where a click leads. `placeholder` is a data URL shown
    until the image loads, `zoom_source` the info.json of the deep zoom, and `still_note` says why an animation doesn't
    play; `plays_in_original` whether browsers play the original.
    """

    image: Image
    shown: RenditionLink | None
    srcset: str
    sources: tuple[FigureSource, ...]
    target: str
    placeholder: str | None
    zoom_source: str | None
    still_note: str | None
    plays_in_original: bool

    @property
    def is_tall(self) -> bool:
        """Whether it is shown at full width, however high that makes it."""
        return is_tall(self.image.width, self.image.height)

    @property
    def height(self) -> int:
        """Height for the original's width at the rendition's rounded aspect ratio; prevents layout shift."""
        assert self.shown is not None
        return round(self.image.width * self.shown.height / self.shown.width)


def build_figure(
    image: Image, sizes: Sequence[RenditionLink], config: Renditions, language: Language, placeholder: bytes | None
) -> ImageFigure:
    """The figure for an image with these sizes (smallest first). An animation uses only the sizes that play it."""
    sizes = _without_crops(sizes)
    moving = first_frames.animated_presets(image, config)
    offered = [size for size in sizes if size.preset in moving] or sizes
    shown = offered[-1] if offered else None
    still_note = first_frames.short_note(image, config, language)
    return ImageFigure(
        image,
        shown,
        srcset=_srcset([size for size in offered if size.is_ready] or offered),
        sources=tuple(_sources(image, distinct_links(image, sizes), config)),
        target=_click_target(image, shown),
        placeholder=_data_url(placeholder),
        zoom_source=_zoom_source(image, shown),
        still_note=still_note,
        plays_in_original=still_note is not None and first_frames.plays_in_original(image),
    )


def _without_crops(sizes: Sequence[RenditionLink]) -> Sequence[RenditionLink]:
    """The sizes but those that show less than the largest does, as the thumbnail of a tall image."""
    return [size for size in sizes if _lines(size) * _ROUNDED >= _lines(sizes[-1])]


def _lines(size: RenditionLink) -> float:
    """How high it is for its width."""
    return size.height / size.width


def _click_target(image: Image, shown: RenditionLink | None) -> str:
    """The original if browsers can show it, else the largest size."""
    if shown is None or image.media_type in _BROWSER_TYPES:
        return links.original_path(image.slug)
    return shown.path


def _zoom_source(image: Image, shown: RenditionLink | None) -> str | None:
    """None for animations, closed images, and images that can't be resized."""
    return None if shown is None or image.animated or image.is_closed else f"{links.iiif_path(image.slug)}/info.json"


def _sources(image: Image, sizes: Sequence[RenditionLink], config: Renditions) -> Iterator[FigureSource]:
    """A source for each lighter format that is finished: in all that pages show large, or in the size for phones.

    A browser takes the first source that suits it, so one without the large sizes is for small windows alone: up to
    half the width of its pixels, with which a photograph looks sharp on a phone. Small windows on coarse screens are
    served best by the small JPEGs.
    """
    presets, phone = page_presets(image, config), phone_preset(image, config)
    for image_format in LIGHTER:
        finished = [size for size in sizes if size.is_finished(image_format)]
        made = {size.preset for size in finished}
        if not phone or phone not in made:
            continue
        if made.issuperset(presets):
            media = f"(min-width: {LEAST_PX // 2}px), {_FINE_SCREEN}"
        else:
            finished = [size for size in finished if size.preset.box_px <= phone.box_px]
            media = f"(max-width: {finished[-1].width // 2}px) and {_FINE_SCREEN}"
        yield FigureSource(image_format.media_type, _srcset_in(image_format, finished), media)


def _srcset_in(image_format: Format, sizes: Sequence[RenditionLink]) -> str:
    paths = ((link.path, size.width) for size in sizes for link in size.formats if link.format is image_format)
    return ", ".join(f"{path} {width}w" for path, width in paths)


def _srcset(sizes: Sequence[RenditionLink]) -> str:
    """Each width once: small images have the same size in several presets."""
    widths = {size.width: size.path for size in reversed(sizes)}
    return ", ".join(f"{path} {width}w" for width, path in sorted(widths.items()))


def _data_url(placeholder: bytes | None) -> str | None:
    if placeholder is None:
        return None
    return f"data:{PLACEHOLDER_TYPE};base64,{base64.b64encode(placeholder).decode()}"
