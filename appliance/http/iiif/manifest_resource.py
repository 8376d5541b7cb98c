"""The manifest of an image or an album: the IIIF Presentation API 3.0, as viewers such as Mirador open it.

Each image is a canvas of its size in pixels. The addresses of canvases and annotations are names, and lead nowhere.
"""

from collections.abc import Mapping, Sequence

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.regions import Region
from appliance.domain.renditions import Format, fit
from appliance.http.iiif.paths import largest_size
from appliance.http.links import Links

CONTEXT = "http://iiif.io/api/presentation/3/context.json"

Resource = dict[str, object]
LanguageMap = Mapping[str, Sequence[str]]
"""Texts by language tag; `none` stands for the unknown language of what users wrote."""


def image_manifest(image: Image, config: Config) -> Resource:
    """The manifest of one image."""
    name, page = _as_written(image.title or image.filename), Links.of(config).share(image.slug)
    return {
        **_head(image.slug, name, page, config),
        **_thumbnail(image, config),
        "items": [_canvas(image, image.slug, page, config)],
    }


def album_manifest(contents: Contents, config: Config, untitled: LanguageMap) -> Resource:
    """The manifest of an album: a canvas for each image, in order. `untitled` names an album without a title."""
    slug, title, links = contents.album.slug, contents.album.title, Links.of(config)
    description, cover = contents.album.description, contents.cover
    return {
        **_head(slug, _as_written(title) if title else untitled, links.album(slug), config),
        **({"summary": _as_written(description)} if description else {}),
        **(_thumbnail(cover, config) if cover else {}),
        "rendering": [_file(links.album_zip(slug), "Dataset", "application/zip", "ZIP")],
        "items": [_canvas(image, slug, links.album_image(slug, image.slug), config) for image in contents.images],
    }


def _head(slug: str, name: LanguageMap, page: str, config: Config) -> Resource:
    return {
        "@context": CONTEXT,
        "id": Links.of(config).manifest(slug),
        "type": "Manifest",
        "label": name,
        "homepage": [_homepage(page, name)],
    }


def _canvas(image: Image, manifest: str, page: str, config: Config) -> Resource:
    """The canvas that an image is painted on, in the manifest of the slug `manifest`; people see it on `page`."""
    links, name = Links.of(config), _as_written(image.title or image.filename)
    address = f"{links.presentation(manifest)}/canvas/{image.slug}"
    annotation = {
        "id": f"{address}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "body": _painting(image, config),
        "target": address,
    }
    return {
        "id": address,
        "type": "Canvas",
        "label": name,
        **({"summary": _as_written(image.alt)} if image.alt else {}),
        "width": image.width,
        "height": image.height,
        **_thumbnail(image, config),
        "homepage": [_homepage(page, name)],
        "rendering": [_file(links.original(image.slug), "Image", image.media_type, image.filename)],
        "items": [{"id": f"{address}/page", "type": "AnnotationPage", "items": [annotation]}],
    }


def _painting(image: Image, config: Config) -> Resource:
    """The image as large as one response can be, and the service for its parts; else the original as it is."""
    links = Links.of(config)
    if image.original_only is not None:
        return _sized(links.original(image.slug), image.media_type, (image.width, image.height))
    service = links.iiif(image.slug)
    size = largest_size(Region(0, 0, image.width, image.height), config.renditions.max_area)
    return {
        **_sized(f"{service}/full/max/0/default.jpg", Format.JPG.media_type, size),
        "service": [{"id": service, "type": "ImageService3", "profile": "level2"}],
    }


def _thumbnail(image: Image, config: Config) -> Resource:
    """The smallest preset, as pages link it; nothing for an image that can't be resized."""
    smallest = min(config.renditions.presets, key=lambda preset: preset.box_px, default=None)
    if smallest is None or image.original_only is not None:
        return {}
    address = Links.of(config).rendition(image.slug, smallest.name, image.linked_format)
    size = fit(image.width, image.height, smallest)
    return {"thumbnail": [_sized(address, image.linked_format.media_type, size)]}


def _sized(address: str, media_type: str, size: tuple[int, int]) -> Resource:
    return {"id": address, "type": "Image", "format": media_type, "width": size[0], "height": size[1]}


def _file(address: str, kind: str, media_type: str, name: str) -> Resource:
    return {"id": address, "type": kind, "label": _as_written(name), "format": media_type}


def _homepage(page: str, name: LanguageMap) -> Resource:
    return {"id": page, "type": "Text", "label": name, "format": "text/html"}


def _as_written(text: str) -> LanguageMap:
    return {"none": [text]}
