"""The album resource: an album as JSON, the same in every answer of the API."""

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.http.api.image_resource import image_resource, sealed_resource
from appliance.http.links import Links
from appliance.http.localization import formatting


def album_resource(contents: Contents, config: Config, *, delete_token: str | None = None) -> dict[str, object]:
    """The album as JSON: times RFC 3339 UTC, `bytes` the sum of the originals in its download.

    Of a closed image there is only what everybody may know. `cover` is the slug of the image that stands for the album,
    null if none can be resized. `expires_at` is when the album ends; `own_expires_at` is the owner's choice, null to
    end with the last image.
    Pass `delete_token` only for the response that creates the album.
    """
    album, links = contents.album, Links.of(config)
    resource: dict[str, object] = {
        "slug": album.slug,
        "url": links.album(album.slug),
        "title": album.title,
        "description": album.description,
        "cover": None if contents.cover is None else contents.cover.slug,
        "created_at": formatting.rfc3339(album.created_s),
        "expires_at": formatting.rfc3339(contents.ends_s),
        "own_expires_at": None if album.expires_s is None else formatting.rfc3339(album.expires_s),
        "locked": album.lock is not None,
        "bytes": contents.bytes,
        "zip": links.album_zip(album.slug),
        "images": [
            sealed_resource(image, config) if image.is_closed else image_resource(image, config)
            for image in contents.images
        ],
    }
    if delete_token is not None:
        resource["delete_token"] = delete_token
    return resource
