"""The access keys that albums were created with, which the uploads of their guests count for."""

from appliance.access.bans import Bans
from appliance.catalogue import KeyCatalogue
from appliance.domain.access_keys import AccessKey, Scope
from appliance.domain.clock import Clock
from appliance.domain.errors import Banned, EndedKeyInvite, KeyInvalid, KeyScope
from appliance.domain.key_rules import require_scope, require_valid
from appliance.domain.model import Album


class AlbumKeys:
    """Whether the key of an album still lets its guests in."""

    def __init__(self, keys: KeyCatalogue, *, bans: Bans, clock: Clock) -> None:
        self._keys = keys
        self._bans = bans
        self._clock = clock

    async def of(self, album: Album | None) -> AccessKey | None:
        """The key that the album was created with, ended ones included."""
        return None if album is None or album.access_key is None else await self._keys.get(album.access_key)

    async def require(self, album: Album) -> None:
        """For the owner; an album without a key needs none. Raises KeyInvalid (or why it ended), KeyScope, Banned."""
        if album.access_key is None:
            return
        key = await self.of(album)
        if key is None:
            raise KeyInvalid
        require_valid(key, self._clock())
        require_scope(key, Scope.UPLOAD)
        self._bans.require_key_not_banned(key.id)

    async def require_for_guests(self, album: Album) -> None:
        """The same for guests. Raises EndedKeyInvite."""
        try:
            await self.require(album)
        except (KeyInvalid, KeyScope, Banned) as fault:
            raise EndedKeyInvite from fault
