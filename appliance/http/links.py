"""The paths of an image's and an album's pages and files, and absolute links to them."""

from dataclasses import dataclass
from urllib.parse import quote

from appliance.config.model import Config
from appliance.domain.formats import FORMATS
from appliance.domain.renditions import Format

EXTENSIONS = {spec.media_type: spec.extension for spec in FORMATS}
"""The file extension of each media type that an original can have."""


def extension(media_type: str) -> str:
    """The extension without a dot; `bin` for a media type that no original should have."""
    return EXTENSIONS.get(media_type, "bin")


def share_path(slug: str) -> str:
    return f"/i/{slug}"


def manage_path(slug: str) -> str:
    return f"/i/{slug}/manage"


def details_path(slug: str) -> str:
    """The page of what an original says of itself."""
    return f"/i/{slug}/details"


def qr_path(slug: str) -> str:
    return f"/i/{slug}/qr.svg"


def original_path(slug: str) -> str:
    return f"/i/{slug}/original"


def file_path(slug: str, media_type: str) -> str:
    """The original with its extension, for programs that judge a link by that."""
    return f"/i/{slug}.{extension(media_type)}"


def rendition_path(slug: str, preset: str, image_format: Format) -> str:
    return f"/i/{slug}/{preset}.{image_format.value}"


def album_path(slug: str) -> str:
    return f"/a/{slug}"


def album_manage_path(slug: str) -> str:
    return f"/a/{slug}/manage"


def album_created_path(slug: str) -> str:
    """Where the album's owner shares it right after it was created."""
    return f"/a/{slug}/created"


def album_codes_path(slug: str) -> str:
    return f"/a/{slug}/codes"


def album_image_path(slug: str, image: str) -> str:
    """One image with its neighbours: a path instead of a query, so that shared caches tell the pages apart."""
    return f"/a/{slug}/{image}"


GUESTS_PATH = "/c/"
"""What the addresses of all pages for guests begin with; the rest is a secret."""


def guests_path(token: str) -> str:
    """The page on which guests add images to an album."""
    return f"{GUESTS_PATH}{token}"


def album_invites_path(slug: str) -> str:
    """The page with which the owner of an album makes and closes guest links."""
    return f"{album_path(slug)}/invites"


def album_qr_path(slug: str) -> str:
    return f"/a/{slug}/qr.svg"


def album_zip_path(slug: str) -> str:
    return f"/a/{slug}/zip"


def iiif_path(slug: str) -> str:
    """The base path of an image in the IIIF Image API, which is its `id` there."""
    return f"/iiif/3/{slug}"


def presentation_path(slug: str) -> str:
    """The path below which the IIIF Presentation API has an image or an album."""
    return f"/iiif/presentation/3/{slug}"


def manifest_path(slug: str) -> str:
    """The IIIF manifest of an image or an album."""
    return f"{presentation_path(slug)}/manifest.json"


def preview_path(slug: str) -> str:
    """The JPEG for link previews, small enough for all of them."""
    return f"/i/{slug}/preview.jpg"


UPLOADS_PATH = "/api/v1/uploads"


def upload_path(upload_id: str) -> str:
    """The address of a resumable upload; it is a secret."""
    return f"{UPLOADS_PATH}/{upload_id}"


def resumable_upload_path(upload_id: str) -> str:
    """The address of a resumable upload by the IETF's draft; it is a secret."""
    return f"/api/v1/resumable-uploads/{upload_id}"


def api_path(slug: str) -> str:
    return f"/api/v1/images/{slug}"


def events_path(slug: str) -> str:
    """The progress of an upload as server-sent events."""
    return f"{api_path(slug)}/events"


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute links. `base_url` has no trailing slash and never comes from a request."""

    base_url: str

    @classmethod
    def of(cls, config: Config) -> "Links":
        return cls(config.server.base_url)

    def absolute(self, path: str) -> str:
        return self.base_url + path

    def share(self, slug: str) -> str:
        return self.absolute(share_path(slug))

    def manage(self, slug: str, delete_token: str) -> str:
        """The secret manage link. Browsers don't send fragments, so the token stays out of logs and referrers."""
        return f"{self.share(slug)}#{delete_token}"

    def album(self, slug: str) -> str:
        return self.absolute(album_path(slug))

    def manage_album(self, slug: str, delete_token: str) -> str:
        """The secret manage link, as for an image."""
        return f"{self.album(slug)}#{delete_token}"

    def guests(self, token: str) -> str:
        """The secret link for guests of an album."""
        return self.absolute(guests_path(token))

    def album_image(self, slug: str, image: str) -> str:
        return self.absolute(album_image_path(slug, image))

    def album_zip(self, slug: str) -> str:
        return self.absolute(album_zip_path(slug))

    def original(self, slug: str) -> str:
        return self.absolute(original_path(slug))

    def file(self, slug: str, media_type: str) -> str:
        return self.absolute(file_path(slug, media_type))

    def iiif(self, slug: str) -> str:
        return self.absolute(iiif_path(slug))

    def presentation(self, slug: str) -> str:
        return self.absolute(presentation_path(slug))

    def manifest(self, slug: str) -> str:
        return self.absolute(manifest_path(slug))

    def oembed(self, slug: str) -> str:
        """Where the oEmbed reply for the image's share page is."""
        return self._oembed(self.share(slug))

    def album_oembed(self, slug: str) -> str:
        return self._oembed(self.album(slug))

    def _oembed(self, page: str) -> str:
        return self.absolute(f"/oembed?url={quote(page, safe='')}")

    def rendition(self, slug: str, preset: str, image_format: Format) -> str:
        return self.absolute(rendition_path(slug, preset, image_format))
