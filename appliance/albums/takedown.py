"""Takedown: the operator of the host ends an image or an album for good, without its delete token."""

from enum import StrEnum

from appliance.albums.service import Albums
from appliance.domain.errors import GoneAlbum, GoneImage, UnknownAlbum, UnknownImage
from appliance.lifecycle.management import Management


class TakenDown(StrEnum):
    """The outcome for one slug."""

    IMAGE = "image"
    ALBUM = "album"
    GONE_ALREADY = "gone-already"
    UNKNOWN = "unknown"


class Takedown:
    """Ends the image or album that has a slug; no two ever have the same."""

    def __init__(self, management: Management, albums: Albums) -> None:
        self._management = management
        self._albums = albums

    async def take_down(self, slug: str) -> TakenDown:
        """Durable on return: 410 from now on, and erased everywhere at the next run of the erasing job."""
        try:
            await self._management.take_down(slug)
        except UnknownImage:
            return await self._album(slug)
        except GoneImage:
            return TakenDown.GONE_ALREADY
        return TakenDown.IMAGE

    async def _album(self, slug: str) -> TakenDown:
        try:
            await self._albums.take_down(slug)
        except UnknownAlbum:
            return TakenDown.UNKNOWN
        except GoneAlbum:
            return TakenDown.GONE_ALREADY
        return TakenDown.ALBUM
