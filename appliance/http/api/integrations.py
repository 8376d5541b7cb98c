"""What other programs expect of an image host: oEmbed 1.0, the Chevereto v1 upload reply, a ShareX uploader."""

from http import HTTPStatus
from urllib.parse import quote

from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, fit
from appliance.http.links import Links, extension
from appliance.http.pages import formatting


def site_name(config: Config) -> str:
    """What the operator calls it, else the host people know it by; a neutral word while no public URL is set."""
    if config.site.name is not None:
        return config.site.name
    if config.server.public_url is None:
        return "Image host"
    return config.server.base_url.partition("://")[2].partition("/")[0]


def oembed_url(image: Image, config: Config) -> str:
    """Where the oEmbed reply for this image's share page is."""
    links = Links.of(config)
    return links.absolute(f"/oembed?url={quote(links.share(image.slug), safe='')}")


def oembed(
    image: Image,
    config: Config,
    *,
    cache_age_s: int,
    max_width: int | None = None,
    max_height: int | None = None,
) -> dict[str, object]:
    """The oEmbed 1.0 reply: a photo inside the asked-for box (pixels), a link when no rendition can be made.

    The largest preset that fits is chosen; in a box smaller than every preset the smallest is declared scaled down.
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
    chosen = fitting[-1] if fitting else presets[0]
    width, height = _scaled(_size(image, chosen), max_width, max_height)
    reply |= {
        "type": "photo",
        "url": links.rendition(image.slug, chosen.name, image.linked_format),
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


def _size(image: Image, preset: Preset) -> tuple[int, int]:
    return fit(image.width, image.height, preset)


def _fits(size: tuple[int, int], max_width: int | None, max_height: int | None) -> bool:
    width, height = size
    return width <= (max_width or width) and height <= (max_height or height)


def _scaled(size: tuple[int, int], max_width: int | None, max_height: int | None) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def sharex_uploader(config: Config) -> dict[str, object]:
    """A ShareX custom uploader (.sxcu); ShareX fills the braces from our JSON reply."""
    links = Links.of(config)
    return {
        "Version": "15.0.0",
        "Name": site_name(config),
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": links.absolute("/api/v1/images"),
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": "{json:url}",
        "ThumbnailURL": "{json:renditions.thumbnail.url}",
        "DeletionURL": "{json:url}#{json:delete_token}",
        "ErrorMessage": "{json:detail}",
    }


def chevereto_upload(image: Image, config: Config, delete_token: str) -> dict[str, object]:
    """The Chevereto v1 reply to an upload. `delete_url` is the page where a person confirms, never a GET that acts."""
    links = Links.of(config)
    stem = image.filename.rpartition(".")[0] or image.filename
    created = formatting.rfc3339(image.created_s)[:19].replace("T", " ")
    original = links.file(image.slug, image.media_type)
    picture: dict[str, object] = {
        "name": stem,
        "extension": extension(image.media_type),
        "size": image.bytes,
        "width": image.width,
        "height": image.height,
        "date": created,
        "date_gmt": created,
        "title": image.title or stem,
        "description": image.alt,
        "original_filename": image.filename,
        "filename": image.filename,
        "mime": image.media_type,
        "id_encoded": image.slug,
        "ratio": round(image.width / image.height, 4),
        "size_formatted": formatting.ENGLISH_WORDS.size(image.bytes),
        "expiration_date_gmt": formatting.rfc3339(image.expires_s)[:19].replace("T", " "),
        "url": original,
        "url_viewer": links.share(image.slug),
        "display_url": _version(image, config, "medium")["url"],
        "thumb": _version(image, config, "thumbnail"),
        "medium": _version(image, config, "medium"),
        "delete_url": links.managing(image.slug, delete_token),
    }
    return {
        "status_code": 200,
        "success": {"message": "image uploaded", "code": 200},
        "image": picture,
        "status_txt": "OK",
    }


def _version(image: Image, config: Config, preset_name: str) -> dict[str, object]:
    """One version in Chevereto's words; the original stands in where there is no such size."""
    links = Links.of(config)
    preset = config.renditions.preset(preset_name)
    if preset is None or image.original_only is not None:
        name, mime, width, height = "original", image.media_type, image.width, image.height
        url, ending = links.file(image.slug, mime), extension(mime)
    else:
        width, height = _size(image, preset)
        name, mime, ending = preset.name, image.linked_format.media_type, image.linked_format.value
        url = links.rendition(image.slug, preset.name, image.linked_format)
    filename = f"{name}.{ending}"
    return {
        "filename": filename,
        "name": name,
        "mime": mime,
        "extension": ending,
        "width": width,
        "height": height,
        "url": url,
    }


def chevereto_error(status: int, code: str, detail: str) -> dict[str, object]:
    """The Chevereto v1 shape of an error: our stable `code` goes where theirs names an exception."""
    return {
        "status_code": status,
        "error": {"message": detail, "code": status, "context": code},
        "status_txt": HTTPStatus(status).phrase,
    }
