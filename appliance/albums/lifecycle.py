"""Keeping albums: their end when it has come, erasing what ended, and telling the store, each driven by rows."""

import logging
from dataclasses import replace

from appliance.albums.contents import alive, end_of, is_over
from appliance.catalogue import AlbumCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import Conflict, StoreUnavailable
from appliance.domain.model import Album, Ending, Image
from appliance.domain.slugs import album_key
from appliance.lifecycle.erasing import TOMBSTONE_S
from appliance.lifecycle.expiry import GRACE_S
from appliance.objectstore import ObjectStore
from appliance.objectstore.records import album_record

log = logging.getLogger(__name__)


class AlbumKeeper:
    """What happens to albums without anybody asking."""

    def __init__(self, *, catalogue: AlbumCatalogue, store: ObjectStore, clock: Clock) -> None:
        self._rows = catalogue
        self._store = store
        self._clock = clock

    # --- ending ---------------------------------------------------------------------------------------------------

    async def end(self) -> int:
        """End the albums whose time is over or whose last image is; says how many. No album's end erases an image."""
        now_s, after_s, ended = int(self._clock()), 0, 0
        while albums := await self._rows.due(now_s, after_s=after_s):
            for album in albums:
                ended += await self._look_at(album, now_s)
            after_s = albums[-1].due_s
        return ended

    async def _look_at(self, album: Album, now_s: int) -> bool:
        images = await self._rows.images(album.images)
        changed = replace(looked_at(album, images, now_s), version=album.version + 1)
        try:
            await self._rows.change(changed)
        except Conflict:  # its maker was faster; it is looked at again
            return False
        return changed.ended is not None

    # --- erasing --------------------------------------------------------------------------------------------------

    async def erase(self) -> int:
        """Erase what ended and is past its undo or grace; says how many. Raises StoreUnavailable at the end."""
        now_s, erased, skipped = int(self._clock()), 0, 0
        failure: StoreUnavailable | None = None
        while failure is None and (albums := await self._rows.erasable(now_s, skipped=skipped)):
            for album in albums:
                try:
                    done = await self._erase(album)
                except StoreUnavailable as fault:
                    failure, done = fault, False
                erased, skipped = erased + done, skipped + (not done)
        if failure is not None:
            raise failure
        return erased

    async def _erase(self, album: Album) -> bool:
        """Its object goes first: were the row first, a crash between them would leave a record that brings it back."""
        await self._store.delete(album_key(album.slug))
        try:
            await self._rows.change(erased(album))
        except Conflict:  # it was brought back, and the store is told of it anew
            return False
        return True

    async def forget(self) -> int:
        """Forget erased albums after a year; says how many."""
        forgotten = 0
        while gone := await self._rows.forget(int(self._clock()) - TOMBSTONE_S):
            forgotten += gone
        return forgotten

    # --- telling --------------------------------------------------------------------------------------------------

    async def tell(self) -> int:
        """Put the record of every album that the store does not know as it is; says how many.

        Raises StoreUnavailable, and the next run goes on.
        """
        after, written = "", 0
        while albums := await self._rows.sidecars_due(after):
            for album in albums:
                written += await self._tell(album)
            after = albums[-1].slug
        return written

    async def _tell(self, album: Album) -> bool:
        key = album_key(album.slug)
        await self._store.put_bytes(key, album_record(album), media_type="application/json")
        if await self._rows.mark_sidecar_written(album.slug, album.version):
            return True
        row = await self._rows.get(album.slug)
        if row is None or row.erased:  # the eraser may have been here before the record was
            await self._store.delete(key)
        return False


def looked_at(album: Album, images: list[Image], now_s: int) -> Album:
    """What a due album becomes: ended, or due later because images live longer by now or may yet be brought back."""
    living = alive(images, now_s)
    if is_over(album, now_s):
        return replace(album, ended=Ending.EXPIRED, ended_s=now_s, erase_after_s=now_s + GRACE_S)
    if living:
        return replace(album, due_s=end_of(album.expires_s, living))
    returns_until_s = max((image.erase_after_s or image.expires_s + GRACE_S for image in images), default=0)
    if returns_until_s > now_s:
        return replace(album, due_s=returns_until_s)
    return replace(album, ended=Ending.EXPIRED, ended_s=now_s, erase_after_s=now_s)


def erased(album: Album) -> Album:
    """All that is remembered of an album is that it was."""
    return replace(album, images=(), title=None, token_hash="", erase_after_s=None, version=album.version + 1)
