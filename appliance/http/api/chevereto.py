"""The upload API of Chevereto v1, which ShareX and other clients speak: its replies and its errors."""

from http import HTTPStatus

from appliance.config.model import Config
from appliance.domain.model import Image
from appliance.domain.renditions import fit
from appliance.http.links import Links, extension
from appliance.http.localization.formatting import ENGLISH_FORMATTER, rfc3339


def chevereto_upload(image: Image, config: Config, delete_token: str) -> dict[str, object]:
    """The reply to an upload. `delete_url` is a page where a person confirms; a GET never deletes."""
    links = Links.of(config)
    stem = image.filename.rpartition(".")[0] or image.filename
    created = _timestamp(image.created_s)
    resource: dict[str, object] = {
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
        "size_formatted": ENGLISH_FORMATTER.size(image.bytes),
        "expiration_date_gmt": _timestamp(image.expires_s),
        "url": links.file(image.slug, image.media_type),
        "url_viewer": links.share(image.slug),
        "display_url": _rendition(image, config, "medium")["url"],
        "thumb": _rendition(image, config, "thumbnail"),
        "medium": _rendition(image, config, "medium"),
        "delete_url": links.manage(image.slug, delete_token),
    }
    return {
        "status_code": 200,
        "success": {"message": "image uploaded", "code": 200},
        "image": resource,
        "status_txt": "OK",
    }


def _timestamp(unix_s: int) -> str:
    """`2026-11-23 16:02:08`, UTC."""
    return rfc3339(unix_s)[:19].replace("T", " ")


def _rendition(image: Image, config: Config, preset_name: str) -> dict[str, object]:
    """One size in Chevereto's fields; the original if there is no such size."""
    links = Links.of(config)
    preset = config.renditions.preset(preset_name)
    if preset is None or image.original_only is not None:
        name, media_type, width, height = "original", image.media_type, image.width, image.height
        url, suffix = links.file(image.slug, media_type), extension(media_type)
    else:
        width, height = fit(image.width, image.height, preset.box_px)
        name, media_type, suffix = preset.name, image.linked_format.media_type, image.linked_format.value
        url = links.rendition(image.slug, preset.name, image.linked_format)
    return {
        "filename": f"{name}.{suffix}",
        "name": name,
        "mime": media_type,
        "extension": suffix,
        "width": width,
        "height": height,
        "url": url,
    }


def chevereto_error(status: int, code: str, detail: str) -> dict[str, object]:
    """An error in Chevereto's fields. Its `context` holds our stable error code, where theirs names an exception."""
    return {
        "status_code": status,
        "error": {"message": detail, "code": status, "context": code},
        "status_txt": HTTPStatus(status).phrase,
    }
