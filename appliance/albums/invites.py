"""Invites as the owner of an album and its guests meet them: made, listed, closed, and opened."""

from dataclasses import dataclass

from appliance.access.album_keys import AlbumKeys
from appliance.access.keys import TellStore, tell_later
from appliance.albums.service import Albums
from appliance.catalogue import Catalogue
from appliance.config.model import Config
from appliance.domain.access_keys import AccessKey
from appliance.domain.access_records import RecordKind
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import (
    AlbumFull,
    EndedAlbumInvite,
    GoneAlbum,
    InvalidField,
    InvalidGuestLinkExpiry,
    UnknownAlbum,
    UnknownInvite,
)
from appliance.domain.invites import (
    Invite,
    InviteState,
    InviteUsage,
    Sees,
    generate_id,
    require_open,
    require_room,
    state_of,
)
from appliance.domain.model import Album
from appliance.domain.tokens import generate_token, hash_secret
from appliance.lifecycle.management import Proof

DEFAULT_EXPIRY_S = 7 * DAY_S
DEFAULT_IMAGES = 200
DEFAULT_BYTES = 2 * 10**9
MAX_BYTES = 10**15
MAX_INVITES = 50
"""Of one album, ended ones included."""


@dataclass(frozen=True, slots=True)
class NewInvite:
    """What the owner of an album allows its guests. `max_images` None is the default, or what an album may have."""

    expires_in_s: int = DEFAULT_EXPIRY_S
    max_images: int | None = None
    max_bytes: int = DEFAULT_BYTES
    sees: Sees = Sees.NOTHING


@dataclass(frozen=True, slots=True)
class InviteStatus:
    """An invite, its album, and what was added by it."""

    invite: Invite
    usage: InviteUsage
    state: InviteState
    album: Album

    @property
    def images_left(self) -> int:
        return max(0, self.invite.max_images - self.usage.images)

    @property
    def bytes_left(self) -> int:
        return max(0, self.invite.max_bytes - self.usage.bytes)


class Invites:
    """Every change is durable when its method returns, and in force with the next request."""

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue,
        albums: Albums,
        *,
        album_keys: AlbumKeys,
        clock: Clock,
        tell_store: TellStore = tell_later,
    ) -> None:
        self._max_expiry_days = config.uploads.max_expiry_days
        self._max_images = config.albums.max_images
        self._catalogue = catalogue
        self._albums = albums
        self._album_keys = album_keys
        self._clock = clock
        self._tell_store = tell_store

    # --- the owner ------------------------------------------------------------------------------------------------

    async def add(self, slug: str, proof: Proof, new: NewInvite) -> tuple[InviteStatus, str]:
        """A new invite to the album, and its token, which nobody can ask for again.

        Raises as `Albums.owned` does, GoneAlbum for one that has ended, InvalidField, InvalidExpiry, Conflict, and as
        `AlbumKeys.require` does: nobody is let in who could not upload alone.
        """
        album = await self._albums.owned(slug, proof)
        await self._album_keys.require(album)
        await self._albums.show(slug)
        _check_expiry(new.expires_in_s, self._max_expiry_days)
        token, now_s = generate_token(), int(self._clock())
        invite = Invite(
            id=generate_id(),
            album=slug,
            token_hash=hash_secret(token),
            created_s=now_s,
            expires_s=now_s + new.expires_in_s,
            max_images=self._checked_images(new.max_images),
            max_bytes=_checked("max_bytes", new.max_bytes, MAX_BYTES),
            sees=new.sees,
        )
        await self._catalogue.invites.add(invite, max_invites=MAX_INVITES)
        await self._tell_store(RecordKind.INVITE, invite.id)
        return self._status(invite, InviteUsage(), album), token

    async def all(self, slug: str, proof: Proof) -> list[InviteStatus]:
        """Every invite to the album, the newest first. Raises as `Albums.owned` does."""
        album = await self._albums.owned(slug, proof)
        return [self._status(*found, album) for found in await self._catalogue.invites.of_album(slug)]

    async def close(self, slug: str, proof: Proof, invite_id: str) -> None:
        """End an invite at once and for good; closing twice is fine. Raises as `Albums.owned` does, UnknownInvite."""
        await self._albums.owned(slug, proof)
        found = await self._catalogue.invites.get(invite_id)
        if found is None or found[0].album != slug:
            raise UnknownInvite("This album has no such guest link.")
        closed = await self._catalogue.invites.close(invite_id, int(self._clock()))
        await self._tell_store(RecordKind.INVITE, closed.id)

    # --- guests ---------------------------------------------------------------------------------------------------

    async def find(self, token: str) -> tuple[Invite, AccessKey | None]:
        """The invite with this token, ended ones included, and its album's key; people paste the whole link, too.

        Raises UnknownInvite.
        """
        invite, _ = await self._found(token.rstrip("/").rpartition("/")[2])
        return invite, await self._album_keys.of(await self._catalogue.albums.get(invite.album))

    async def open(self, token: str) -> InviteStatus:
        """The invite as its guests see it. Raises UnknownInvite, GoneInvite, InviteFull."""
        invite, usage = await self._found(token)
        require_open(invite, self._clock())
        try:
            contents = await self._albums.show(invite.album)
        except (GoneAlbum, UnknownAlbum) as fault:
            raise EndedAlbumInvite from fault
        await self._album_keys.require_for_guests(contents.album)
        require_room(invite, usage, 1)
        if len(contents.album.images) >= self._max_images:
            raise AlbumFull(limit=self._max_images, actual=len(contents.album.images) + 1)
        return self._status(invite, usage, contents.album)

    async def _found(self, token: str) -> tuple[Invite, InviteUsage]:
        found = await self._catalogue.invites.by_token(hash_secret(token))
        if found is None:
            raise UnknownInvite
        return found

    def _checked_images(self, count: int | None) -> int:
        if count is None:
            return min(DEFAULT_IMAGES, self._max_images)
        return _checked("max_images", count, self._max_images)

    def _status(self, invite: Invite, usage: InviteUsage, album: Album) -> InviteStatus:
        state = state_of(invite, usage, self._clock())
        if state is InviteState.OPEN and len(album.images) >= self._max_images:
            state = InviteState.FULL
        return InviteStatus(invite, usage, state, album)


def _checked(name: str, value: int, limit: int) -> int:
    """Raises InvalidField."""
    if not 1 <= value <= limit:
        raise InvalidField(f"{name} must be a whole number from 1 to {limit:,}.", limit=limit, actual=value)
    return value


def _check_expiry(expires_in_s: int, max_days: int) -> None:
    if not 1 <= expires_in_s <= max_days * DAY_S:
        raise InvalidGuestLinkExpiry(limit=max_days * DAY_S, actual=expires_in_s)
