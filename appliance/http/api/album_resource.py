"""The album resource: an album as JSON, the same in every answer of the API."""

from appliance.albums import Contents
from appliance.config.model import Config
from appliance.http.api.image_resource import image_resource
from appliance.http.links import Links
from appliance.http.localization import formatting


def album_resource(contents: Contents, config: Config, *, delete_token: str | None = None) -> dict[str, object]:
    """The resource of the contract: times RFC 3339 UTC, `bytes` of all originals together.

    `expires_at` is when it ends; `own_expires_at` is the end that its maker wished, null for as long as its images.
    `delete_token` belongs only in the reply that made it.
    """
    album, links = contents.album, Links.of(config)
    resource: dict[str, object] = {
        "slug": album.slug,
        "url": links.album(album.slug),
        "title": album.title,
        "created_at": formatting.rfc3339(album.created_s),
        "expires_at": formatting.rfc3339(contents.ends_s),
        "own_expires_at": None if album.expires_s is None else formatting.rfc3339(album.expires_s),
        "bytes": contents.bytes,
        "zip": links.album_zip(album.slug),
        "images": [image_resource(image, config) for image in contents.images],
    }
    if delete_token is not None:
        resource["delete_token"] = delete_token
    return resource
