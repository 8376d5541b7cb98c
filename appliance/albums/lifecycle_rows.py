"""The rows of albums, as their lifecycle sees them. No album's end erases an image."""

from collections.abc import Sequence
from dataclasses import replace

from appliance.albums.contents import end_of, is_over, visible_images
from appliance.catalogue import AlbumCatalogue
from appliance.domain.errors import Conflict
from appliance.domain.model import Album, Ending, Image
from appliance.domain.slugs import album_key
from appliance.lifecycle.expiry import GRACE_S
from appliance.lifecycle.service import TOMBSTONE_S
from appliance.objectstore import ObjectStore
from appliance.objectstore.records import RECORD_TYPE, album_record


class AlbumLifecycleRows:
    """An album lies in its row and in its record in the store."""

    def __init__(self, *, catalogue: AlbumCatalogue, store: ObjectStore) -> None:
        self._rows = catalogue
        self._store = store

    async def end_due(self, now_s: int) -> int:
        """End albums whose time is over, or whose last image has ended."""
        after_s, ended = 0, 0
        while albums := await self._rows.due(now_s, after_s=after_s):
            for album in albums:
                ended += await self._review(album, now_s)
            after_s = albums[-1].due_s
        return ended

    async def _review(self, album: Album, now_s: int) -> bool:
        images = await self._rows.images(album.images)
        reviewed = replace(due_again_or_ended(album, images, now_s), version=album.version + 1)
        try:
            await self._rows.change(reviewed)
        except Conflict:  # its owner was faster; it is due again
            return False
        return reviewed.ended is not None

    async def forget(self, now_s: int) -> int:
        return await self._rows.forget(now_s - TOMBSTONE_S)

    # --- erasing --------------------------------------------------------------------------------------------------

    async def erasable(self, now_s: int, *, skipped: int) -> Sequence[Album]:
        return await self._rows.erasable(now_s, skipped=skipped)

    async def erase_here(self, _album: Album) -> bool:
        """Nothing of an album lies on this machine besides its row."""
        return True

    async def erase_in_store(self, album: Album) -> bool:
        """The record goes first: after a crash between the two, a record without a row would bring the album back."""
        await self._store.delete(album_key(album.slug))
        try:
            await self._rows.change(erased(album))
        except Conflict:  # it was restored, perhaps with a record that was deleted here
            row = await self._rows.get(album.slug)
            if row is not None and not row.erased:
                await self._store.put_bytes(album_key(album.slug), album_record(row), media_type=RECORD_TYPE)
            return False
        return True

    # --- records --------------------------------------------------------------------------------------------------

    async def records_due(self, after: str) -> Sequence[Album]:
        return await self._rows.sidecars_due(after)

    def record_key(self, slug: str) -> str:
        return album_key(slug)

    def record(self, album: Album) -> bytes:
        return album_record(album)

    async def confirm_record(self, album: Album) -> bool:
        return await self._rows.mark_sidecar_written(album.slug, album.version)

    async def recorded(self, slug: str, _written: Album | None) -> Album | None:
        """Nothing of an erased album. An ended one keeps its record through its grace."""
        row = await self._rows.get(slug)
        return None if row is None or row.erased else row


def due_again_or_ended(album: Album, images: Sequence[Image], now_s: int) -> Album:
    """What a due album becomes: ended, or due later because its images live longer or may still be restored."""
    visible = visible_images(images, now_s)
    if is_over(album, now_s):
        return replace(album, ended=Ending.EXPIRED, ended_s=now_s, erase_after_s=now_s + GRACE_S)
    if visible:
        return replace(album, due_s=end_of(album.expires_s, visible))
    restorable_until_s = max((image.erase_after_s or image.expires_s + GRACE_S for image in images), default=0)
    if restorable_until_s > now_s:
        return replace(album, due_s=restorable_until_s)
    return replace(album, ended=Ending.EXPIRED, ended_s=now_s, erase_after_s=now_s)


def erased(album: Album) -> Album:
    """All that is remembered of an album is that it existed."""
    return replace(
        album,
        images=(),
        title=None,
        description=None,
        cover=None,
        lock=None,
        token_hash="",
        access_key=None,
        erase_after_s=None,
        version=album.version + 1,
    )
