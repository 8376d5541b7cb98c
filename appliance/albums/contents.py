"""What an album shows at this moment, and whether it has ended. Images that end before their album leave it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from appliance.domain.errors import AllLocked, GoneAlbum, UnknownAlbum
from appliance.domain.model import Album, Ending, Image
from appliance.lifecycle.expiry import GRACE_S


@dataclass(frozen=True, slots=True)
class Contents:
    """An album that has not ended, with its visible images in their order; there is at least one."""

    album: Album
    images: tuple[Image, ...]

    @property
    def ends_s(self) -> int:
        """When it ends, in unix seconds: at its own expiry or with its last image, whichever comes first."""
        return end_of(self.album.expires_s, self.images)

    @property
    def open_images(self) -> tuple[Image, ...]:
        """Those that their links show to everybody; the others are in the album as placeholders."""
        return tuple(image for image in self.images if not image.is_closed)

    @property
    def bytes(self) -> int:
        """Of what its download has."""
        return sum(image.bytes for image in self.open_images)

    def opened(self) -> "Contents":
        """The album with its open images alone. Raises AllLocked."""
        if not (open_images := self.open_images):
            raise AllLocked
        return Contents(self.album, open_images)

    @property
    def state(self) -> Hashable:
        """Equal as long as neither the album nor an image changes: rows count their changes."""
        images = tuple((image.slug, image.version) for image in self.images)
        return self.album.slug, self.album.version, images

    @property
    def cover(self) -> Image | None:
        """The image that stands for the album: the chosen one while it is visible, else the first.

        None if no open image can be resized.
        """
        shown = [image for image in self.open_images if image.original_only is None]
        chosen = [image for image in shown if image.slug == self.album.cover]
        return next(iter([*chosen, *shown]), None)

    def place(self, slug: str) -> int | None:
        """Where an image stands in the order, from 0; None if it is not in the album."""
        return next((place for place, image in enumerate(self.images) if image.slug == slug), None)


def end_of(expires_s: int | None, images: Sequence[Image]) -> int:
    """The unix second at which an album of these images is over."""
    last_s = max(image.expires_s for image in images)
    return last_s if expires_s is None else min(expires_s, last_s)


def visible_images(images: Sequence[Image], now_s: float) -> tuple[Image, ...]:
    """Those that are shown at the unix time `now_s`."""
    return tuple(image for image in images if image.ended is None and image.expires_s > now_s)


def is_over(album: Album, now_s: float) -> bool:
    """Whether its own time is over, by its row or by the clock."""
    return album.ended is Ending.EXPIRED or (
        album.ended is None and album.expires_s is not None and album.expires_s <= now_s
    )


def restorable_until_s(album: Album, now_s: float) -> int | None:
    """Until which unix second an album that is over can be restored; None if it can't."""
    if album.erased or (album.ended is None and not is_over(album, now_s)):  # perhaps its images have ended
        return None
    until_s = album.erase_after_s
    if until_s is None:  # the job runs within a minute
        until_s = (album.expires_s or 0) + GRACE_S
    return until_s if until_s > now_s else None


def contents(album: Album | None, images: Sequence[Image], now_s: float) -> Contents:
    """The album as it is shown at `now_s`. Raises UnknownAlbum, GoneAlbum."""
    album = remembered(album)
    if album.ended is Ending.DELETED:
        raise GoneAlbum("This album was deleted by its owner.")
    if is_over(album, now_s):
        raise GoneAlbum("This album has expired.")
    visible = visible_images(images, now_s)
    if not visible:
        raise GoneAlbum("All images of this album have expired or were deleted.")
    return Contents(album, visible)


def remembered(album: Album | None) -> Album:
    """The album itself. Raises UnknownAlbum where there is no row."""
    if album is None:
        raise UnknownAlbum()
    return album
