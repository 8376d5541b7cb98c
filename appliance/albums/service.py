"""The front of albums: make, show, change, end and bring back.

Whoever knows an image's link may put the image into an album: the album shows what the link shows, no longer than the
link does, and nothing of it changes the image.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from appliance.albums.contents import Contents, alive, contents, end_of, is_over, remembered
from appliance.albums.ordering import AlbumChanges, AlbumWishes, arranged, checked_slugs
from appliance.catalogue import Catalogue, Unchanged
from appliance.config.model import Config
from appliance.domain import slugs, tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    GoneAlbum,
    IdempotencyKeyReused,
    InvalidField,
    MissingToken,
    UnknownAlbum,
    WrongToken,
)
from appliance.domain.model import Album, Ending, IdempotencyRecord
from appliance.domain.upload_options import MAX_TITLE_CHARS, check_expiry, check_key, checked_text
from appliance.lifecycle.conflicts import retry_on_conflict
from appliance.lifecycle.expiry import GRACE_S
from appliance.lifecycle.management import UNDO_S

NO_UNDO_S = 0  # an undo time that is over by any clock


@dataclass(frozen=True, slots=True)
class Made:
    """A new album, or the first answer to its Idempotency-Key again."""

    contents: Contents
    delete_token: str


class Albums:
    """Makes and shows albums for everybody, and changes them for those who prove that they may."""

    def __init__(self, config: Config, *, catalogue: Catalogue, clock: Clock) -> None:
        self._max_images = config.albums.max_images
        self._max_expiry_days = config.uploads.max_expiry_days
        self._catalogue = catalogue
        self._rows = catalogue.albums
        self._clock = clock

    async def show(self, slug: str) -> Contents:
        """The living album. Raises UnknownAlbum, GoneAlbum."""
        album = remembered(await self._rows.get(slug) if slugs.is_slug(slug) else None)
        return contents(album, await self._rows.images(album.images), self._clock())

    # --- making ---------------------------------------------------------------------------------------------------

    async def create(self, wishes: AlbumWishes) -> Made:
        """A new album, durable on return.

        Raises InvalidField (no images, or not living ones), TooManyImages, InvalidExpiry and the IdempotencyKey errors.
        """
        wishes = self._checked(wishes)
        key = wishes.idempotency_key
        first = None if key is None else await self._catalogue.idempotent(tokens.hashed(key))
        if key is not None and first is not None:
            return await self._replayed(first, wishes, key)
        now_s = int(self._clock())
        slug = slugs.mint(now_s)
        secret = tokens.fresh_secret()
        token = tokens.fresh_token() if key is None else tokens.keyed_token(key, slug, secret)
        album = await self._filled(
            Album(
                slug=slug,
                images=wishes.images,
                token_hash=tokens.hashed(token),
                created_s=now_s,
                due_s=now_s,
                title=wishes.title,
                expires_s=None if wishes.expires_in_s is None else now_s + wishes.expires_in_s,
            ),
            added=wishes.images,
        )
        if key is None:
            await self._rows.add(album.album)
        else:
            record = IdempotencyRecord(tokens.hashed(key), slug, _fingerprint(wishes), now_s, secret)
            await self._rows.add(album.album, record)
        return Made(album, token)

    def _checked(self, wishes: AlbumWishes) -> AlbumWishes:
        if wishes.idempotency_key is not None:
            check_key(wishes.idempotency_key)
        if wishes.expires_in_s is not None:
            check_expiry(wishes.expires_in_s, self._max_expiry_days)
        if not wishes.images:
            raise InvalidField("An album needs at least one image. List them in images.")
        return replace(
            wishes,
            title=checked_text("title", wishes.title, MAX_TITLE_CHARS),
            images=checked_slugs(wishes.images, self._max_images),
        )

    async def _replayed(self, first: IdempotencyRecord, wishes: AlbumWishes, key: str) -> Made:
        if first.fingerprint != _fingerprint(wishes):
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with other images or fields. Use a new key for a new album."
            )
        try:
            return Made(await self.show(first.slug), tokens.keyed_token(key, first.slug, first.secret))
        except UnknownAlbum as fault:
            raise GoneAlbum("The album created with this Idempotency-Key is no longer available.") from fault

    async def _filled(self, album: Album, *, added: tuple[str, ...]) -> Contents:
        """The album with the images that are left, and when it has to be looked at again.

        Images that were erased leave it; those that expired stay, for their owners may bring them back. Raises
        InvalidField when one of `added` can't be shown, TooManyImages, GoneAlbum when none is left.
        """
        images, now_s = await self._rows.images(album.images), self._clock()
        living = alive(images, now_s)
        if missing := set(added) - {image.slug for image in living}:
            named = [slug for slug in added if slug in missing]
            raise InvalidField(
                f"{len(named)} of these images can't be added because they don't exist or are no longer available: "
                f"{', '.join(named[:5])}{' …' if len(named) > 5 else ''}."
            )
        if not living:
            raise GoneAlbum("The album has no images left. Add some first, or create a new album.")
        kept = checked_slugs([image.slug for image in images], self._max_images)
        return Contents(replace(album, images=kept, due_s=end_of(album.expires_s, living)), living)

    # --- changing -------------------------------------------------------------------------------------------------

    async def owned(self, slug: str, token: str | None) -> Album:
        """The album, ended or not, for the holder of its token.

        Raises UnknownAlbum, GoneAlbum, MissingToken, WrongToken.
        """
        album = remembered(await self._rows.get(slug) if slugs.is_slug(slug) else None)
        if album.erased:
            raise GoneAlbum("This album can no longer be restored.")
        if not token:
            raise MissingToken(
                "Send the delete token you received when the album was created: Authorization: Bearer <token>."
            )
        if not tokens.matches(token, album.token_hash):
            raise WrongToken()
        return album

    async def ending(self, slug: str) -> tuple[Ending | None, int | None]:
        """How an album ended, and until which unix second it can be brought back (None when it can't)."""
        album = await self._rows.get(slug)
        if album is None:
            return None, None
        if album.ended is not Ending.DELETED and not is_over(album, self._clock()):
            return Ending.EXPIRED, None  # its images are
        until_s = album.erase_after_s or (album.expires_s or 0) + GRACE_S  # the job comes by within a minute
        can_return = not album.erased and album.ended is not Ending.DELETED and until_s > self._clock()
        return album.ended or Ending.EXPIRED, until_s if can_return else None

    async def change(self, slug: str, token: str | None, changes: AlbumChanges) -> Contents:
        """The changed album. A new expiry brings an expired one back while it is remembered whole.

        Raises as `owned` does, InvalidField, InvalidExpiry, TooManyImages, and GoneAlbum when it can't come back.
        """
        await self.owned(slug, token)
        checked = self._checked_changes(changes)

        async def change_row() -> Contents:
            album = await self.owned(slug, token)
            changed = await self._filled(self._changed(album, checked), added=checked.add)
            await self._rows.change(changed.album)
            return changed

        return await retry_on_conflict(change_row)

    def _checked_changes(self, changes: AlbumChanges) -> AlbumChanges:
        if isinstance(changes.expires_s, int):
            check_expiry(changes.expires_s - int(self._clock()), self._max_expiry_days)
        title = changes.title
        return replace(
            changes,
            title=title if isinstance(title, Unchanged) else checked_text("title", title, MAX_TITLE_CHARS),
            add=checked_slugs(changes.add, self._max_images),
        )

    def _changed(self, album: Album, changes: AlbumChanges) -> Album:
        """Raises GoneAlbum when it has ended and is not to be, or can't be, brought back; InvalidField."""
        now_s = int(self._clock())
        over = is_over(album, now_s)
        expires_s = album.expires_s if isinstance(changes.expires_s, Unchanged) else changes.expires_s
        if over or album.ended is not None:
            if not changes.restore and not (over and not isinstance(changes.expires_s, Unchanged)):
                raise GoneAlbum("This album has expired or was deleted. Restore it first.")
            if album.ended is not None and now_s > (album.erase_after_s or 0):
                raise GoneAlbum("This album can no longer be restored.")
            expires_s = None if expires_s is not None and expires_s <= now_s else expires_s
        images = arranged(album.images, changes)
        if not images:
            raise InvalidField("An album needs at least one image. To remove the last one, delete the album.")
        return replace(
            album,
            images=images,
            title=album.title if isinstance(changes.title, Unchanged) else changes.title,
            expires_s=expires_s,
            version=album.version + 1,
            ended=None,
            ended_s=None,
            erase_after_s=None,
        )

    async def delete(self, slug: str, token: str | None) -> Album:
        """End the album: 410 from now on, its images stay. It can be undone for ten seconds. Twice is fine."""

        async def end_row() -> Album:
            album, now_s = await self.owned(slug, token), int(self._clock())
            if album.ended is Ending.DELETED:
                return album
            return await self._end(album, now_s, erase_after_s=now_s + UNDO_S)

        return await retry_on_conflict(end_row)

    async def take_down(self, slug: str) -> None:
        """End the album for good, without its token: nobody can undo it; its images stay.

        Raises UnknownAlbum, GoneAlbum (already).
        """

        async def end_row() -> Album:
            album, now_s = remembered(await self._rows.get(slug)), int(self._clock())
            if album.erased or (album.ended is Ending.DELETED and now_s > (album.erase_after_s or 0)):
                raise GoneAlbum("This album is no longer available.")
            return await self._end(album, now_s, erase_after_s=NO_UNDO_S)

        await retry_on_conflict(end_row)

    async def _end(self, album: Album, now_s: int, *, erase_after_s: int) -> Album:
        """Raises Conflict when the row is another by now."""
        ended = replace(
            album, ended=Ending.DELETED, ended_s=now_s, erase_after_s=erase_after_s, version=album.version + 1
        )
        await self._rows.change(ended)
        return ended


def _fingerprint(wishes: AlbumWishes) -> str:
    parts = ["album", wishes.images, wishes.title, wishes.expires_in_s]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
