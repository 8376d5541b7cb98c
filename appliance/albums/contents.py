"""What an album holds at this moment, and whether it is over: its images may end before it, and then leave it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from appliance.domain.errors import GoneAlbum, UnknownAlbum
from appliance.domain.model import Album, Ending, Image


@dataclass(frozen=True, slots=True)
class Contents:
    """A living album with its living images, one at least, in their order."""

    album: Album
    images: tuple[Image, ...]

    @property
    def ends_s(self) -> int:
        """When it ends: as its maker wished, or with its last image, whichever comes first."""
        return end_of(self.album.expires_s, self.images)

    @property
    def bytes(self) -> int:
        return sum(image.bytes for image in self.images)

    @property
    def state(self) -> Hashable:
        """The same as long as album and images are as they are: rows count their changes."""
        images = tuple((image.slug, image.version) for image in self.images)
        return self.album.slug, self.album.version, images

    def place(self, slug: str) -> int | None:
        """Where an image stands in the order, from 0; None if it is not in the album."""
        return next((place for place, image in enumerate(self.images) if image.slug == slug), None)


def end_of(expires_s: int | None, images: Sequence[Image]) -> int:
    """The unix second at which an album of these images is over."""
    last_s = max(image.expires_s for image in images)
    return last_s if expires_s is None else min(expires_s, last_s)


def alive(images: Sequence[Image], now_s: float) -> tuple[Image, ...]:
    """Those that are to be shown now."""
    return tuple(image for image in images if image.ended is None and image.expires_s > now_s)


def is_over(album: Album, now_s: float) -> bool:
    """Whether its own time is over, told by a row or by the clock alone."""
    return album.ended is Ending.EXPIRED or (
        album.ended is None and album.expires_s is not None and album.expires_s <= now_s
    )


def contents(album: Album | None, images: Sequence[Image], now_s: float) -> Contents:
    """The album as it is to be shown now. Raises UnknownAlbum, GoneAlbum."""
    album = remembered(album)
    if album.ended is Ending.DELETED:
        raise GoneAlbum("This album was deleted by its owner.")
    if is_over(album, now_s):
        raise GoneAlbum("This album has expired.")
    living = alive(images, now_s)
    if not living:
        raise GoneAlbum("All images of this album have expired or were deleted.")
    return Contents(album, living)


def remembered(album: Album | None) -> Album:
    """Raises UnknownAlbum when nothing is."""
    if album is None:
        raise UnknownAlbum()
    return album
