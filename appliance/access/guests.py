"""Guests: who adds images to an album by an invite, without a key of their own."""

from appliance.access.album_keys import AlbumKeys
from appliance.catalogue import Catalogue
from appliance.config.model import AlbumsConfig
from appliance.domain.clock import Clock
from appliance.domain.errors import AlbumFull, EndedAlbumInvite, UnknownInvite
from appliance.domain.invites import require_open, require_room
from appliance.uploads.admission import AdmissionRequest, UploadStage


class Guests:
    """An admission rule: refuses guests whose invite has ended or is full, before their bytes come.

    The row that makes an image of them decides: the invite may end, or others may be faster, while they come.
    """

    def __init__(self, limits: AlbumsConfig, *, catalogue: Catalogue, album_keys: AlbumKeys, clock: Clock) -> None:
        self._max_images = limits.max_images
        self._invites = catalogue.invites
        self._albums = catalogue.albums
        self._album_keys = album_keys
        self._clock = clock

    async def check(self, request: AdmissionRequest) -> None:
        """Raises UnknownInvite, GoneInvite, InviteFull."""
        if request.client.invite is None:
            return
        found = await self._invites.get(request.client.invite.id)
        if found is None:
            raise UnknownInvite
        invite, usage = found
        require_open(invite, self._clock())
        album = await self._albums.get(invite.album)
        if album is None or album.ended is not None:
            raise EndedAlbumInvite
        await self._album_keys.require_for_guests(album)
        if request.stage is UploadStage.CONTINUING or request.is_repeat:
            return
        require_room(invite, usage, request.bytes)
        if len(album.images) >= self._max_images:
            raise AlbumFull(limit=self._max_images, actual=len(album.images) + 1)
