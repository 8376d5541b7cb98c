"""What an album may consist of, and what a change makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.albums.contents import is_over, restorable_until_s
from appliance.albums.ordering import AlbumChanges, AlbumOptions, arranged, checked_cover
from appliance.catalogue import Unchanged
from appliance.domain.errors import NO_IMAGES, NO_IMAGES_LEFT, GoneAlbum, InvalidField, NoImageLink, TooManyImages
from appliance.domain.model import Album
from appliance.domain.slugs import is_slug
from appliance.domain.upload_options import MAX_TITLE_CHARS, check_expiry, check_idempotency_key, clean_text

MAX_DESCRIPTION_CHARS = 2000


@dataclass(frozen=True, slots=True)
class AlbumRules:
    """How many images an album may have, and how many days until its expiry."""

    max_images: int
    max_expiry_days: int

    def check_options(self, options: AlbumOptions) -> AlbumOptions:
        """The options with clean texts, and with each image once.

        Raises InvalidField (also for no images), TooManyImages, InvalidExpiry, IdempotencyKeyInvalid.
        """
        if options.idempotency_key is not None:
            check_idempotency_key(options.idempotency_key)
        if options.expires_in_s is not None:
            check_expiry(options.expires_in_s, self.max_expiry_days)
        if not options.images:
            raise InvalidField(f"{NO_IMAGES} List them in images.", texts=(NO_IMAGES,))
        images = self.check_slugs(options.images)
        return replace(
            options,
            title=clean_text("title", options.title, MAX_TITLE_CHARS),
            description=clean_text("description", options.description, MAX_DESCRIPTION_CHARS),
            cover=checked_cover(options.cover, images),
            images=images,
        )

    def check_changes(self, changes: AlbumChanges, now_s: float) -> AlbumChanges:
        """The changes with clean texts, and with each added image once.

        Raises InvalidField, TooManyImages, InvalidExpiry.
        """
        if len(changes.moves) > self.max_images:
            raise TooManyImages(limit=self.max_images, actual=len(changes.moves))
        if isinstance(changes.expires_s, int):
            check_expiry(changes.expires_s - int(now_s), self.max_expiry_days)
        title, description = changes.title, changes.description
        return replace(
            changes,
            title=title if isinstance(title, Unchanged) else clean_text("title", title, MAX_TITLE_CHARS),
            description=description
            if isinstance(description, Unchanged)
            else clean_text("description", description, MAX_DESCRIPTION_CHARS),
            add=self.check_slugs(changes.add),
        )

    def check_slugs(self, slugs: Sequence[str]) -> tuple[str, ...]:
        """Each slug once. Raises TooManyImages; NoImageLink for text that is no slug."""
        once = tuple(dict.fromkeys(slugs))
        if len(once) > self.max_images:
            raise TooManyImages(
                f"An album can have up to {self.max_images:,} images, but these are {len(once):,}.",
                limit=self.max_images,
                actual=len(once),
            )
        for place, slug in enumerate(once, start=1):
            if not is_slug(slug):
                detail = f"“{slug[:40]}” is not an image link. Links end with 17 letters and digits."
                raise NoImageLink(detail, actual=place)
        return once


def apply(album: Album, changes: AlbumChanges, now_s: float) -> Album:
    """The album as these changes, which were checked, make it at the unix time `now_s`.

    Raises InvalidField (no images are left, or the cover is none of them), and GoneAlbum when the album has ended and
    is not, or can't be, restored.
    """
    now_s = int(now_s)
    over = is_over(album, now_s)
    expires_s = album.expires_s if isinstance(changes.expires_s, Unchanged) else changes.expires_s
    if over or album.ended is not None:
        if not changes.restore and not (over and not isinstance(changes.expires_s, Unchanged)):
            fault = GoneAlbum("This album has expired or was deleted. Restore it first.")
            fault.restorable_until_s = restorable_until_s(album, now_s)
            raise fault
        if album.ended is not None and now_s > (album.erase_after_s or 0):
            raise GoneAlbum("This album can no longer be restored.")
        expires_s = None if expires_s is not None and expires_s <= now_s else expires_s
    images = arranged(album.images, changes)
    if not images:
        raise InvalidField(texts=(NO_IMAGES_LEFT,))
    return replace(
        album,
        images=images,
        title=album.title if isinstance(changes.title, Unchanged) else changes.title,
        description=album.description if isinstance(changes.description, Unchanged) else changes.description,
        cover=album.cover if isinstance(changes.cover, Unchanged) else checked_cover(changes.cover, images),
        expires_s=expires_s,
        version=album.version + 1,
        ended=None,
        ended_s=None,
        erase_after_s=None,
    )
