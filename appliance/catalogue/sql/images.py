"""The rows of images: what can be asked of them and done to them, on the threads for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from appliance.catalogue.sql import image_changes, image_queries
from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.row_memory import RowMemory
from appliance.catalogue.sql.rows import Row
from appliance.catalogue.sql.writer import Writer
from appliance.catalogue.values import UNCHANGED, Backlog, Erasure, Revision, Unchanged
from appliance.domain.model import IdempotencyRecord, Image
from appliance.domain.resumable_uploads import Upload

T = TypeVar("T")
ASKED_AT_ONCE = 10_000


class ImageRows:
    """An `ImageCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer, memory: RowMemory) -> None:
        self._readers = readers
        self._writer = writer
        self._memory = memory

    # --- one image ------------------------------------------------------------------------------------------------

    async def add(
        self,
        image: Image,
        idempotency: IdempotencyRecord | None = None,
        *,
        sidecar_due: bool = False,
        upload: Upload | None = None,
        upload_kept_until_s: int = 0,
        max_album_images: int = 0,
    ) -> None:
        await self._write(
            image_changes.add,
            image,
            idempotency,
            sidecar_due=sidecar_due,
            upload=upload,
            upload_kept_until_s=upload_kept_until_s,
            max_album_images=max_album_images,
        )

    async def get(self, slug: str) -> Row | None:
        return await self._memory.get(slug, self._read)

    async def _read(self, slug: str) -> Row | None:
        return await self._readers.run(image_queries.resolve, slug)

    async def change(
        self,
        slug: str,
        *,
        version: int,
        title: str | Unchanged | None = UNCHANGED,
        alt: str | Unchanged | None = UNCHANGED,
        expires_s: int | Unchanged = UNCHANGED,
        lock: str | Unchanged | None = UNCHANGED,
        one_view: bool | Unchanged = UNCHANGED,
    ) -> Image:
        return await self._write(
            image_changes.change,
            slug,
            version=version,
            title=title,
            alt=alt,
            expires_s=expires_s,
            lock=lock,
            one_view=one_view,
        )

    async def begin_view(self, slug: str, *, version: int, viewing: str, now_s: int, expires_s: int) -> Image:
        return await self._write(
            image_changes.begin_view, slug, version=version, viewing=viewing, now_s=now_s, expires_s=expires_s
        )

    async def revise(self, image: Image, *, is_replaced: bool = False) -> Image:
        return await self._write(image_changes.revise, image, is_replaced=is_replaced)

    async def mark_original_only(self, slug: str, reason: str) -> None:
        await self._write(image_changes.mark_original_only, slug, reason)

    async def mark_still(self, slug: str, reason: str) -> None:
        await self._write(image_changes.mark_still, slug, reason)

    # --- shipping, prewarming, sidecars ---------------------------------------------------------------------------

    async def mark_shipped(self, slug: str, sha256: str, *, may_be_restorable: bool = False) -> bool:
        return await self._write(image_changes.mark_shipped, slug, sha256, may_be_restorable=may_be_restorable)

    async def mark_prewarmed(self, slugs: Iterable[str]) -> None:
        await self._write(image_changes.mark_prewarmed, tuple(slugs))

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        return await self._write(image_changes.mark_sidecar_written, slug, version)

    async def claim(self, slugs: Iterable[str], node: str) -> None:
        await self._write(image_changes.claim, tuple(slugs), node)

    async def unshipped(self, after: Image | None = None, limit: int = 500, *, node: str | None = None) -> list[Image]:
        return await self._readers.run(image_queries.unshipped, after, limit, node)

    async def unwarmed(self, after: str = "", limit: int = 500) -> list[Image]:
        return await self._readers.run(image_queries.unwarmed, after, limit)

    async def sidecars_due(self, after: str = "", limit: int = 500) -> list[Image]:
        return await self._readers.run(image_queries.walk, sql.SIDECARS_DUE, after, limit)

    # --- ending and erasing ---------------------------------------------------------------------------------------

    async def due(self, now_s: int, limit: int = 1000) -> list[str]:
        return await self._readers.run(image_queries.due, now_s, limit)

    async def expire(self, slugs: Iterable[str], *, now_s: int, erase_after_s: int) -> list[Image]:
        return await self._write(image_changes.expire, tuple(slugs), now_s, erase_after_s)

    async def end(
        self, slug: str, *, now_s: int, erase_after_s: int, version: int | None = None, for_good: bool = False
    ) -> Image:
        return await self._write(image_changes.end, slug, now_s, erase_after_s, version=version, for_good=for_good)

    async def restore(self, slug: str, *, now_s: int, expires_s: int | None) -> Image:
        return await self._write(image_changes.restore, slug, now_s, expires_s)

    async def erasable(self, now_s: int, limit: int = 500, *, skipped: int = 0) -> list[Image]:
        return await self._readers.run(image_queries.erasable, now_s, limit, skipped)

    async def begin_erase(self, slug: str, now_s: int) -> bool:
        return await self._write(image_changes.begin_erase, slug, now_s)

    async def confirm_erased(self, slug: str) -> None:
        await self._write(image_changes.confirm_erased, slug)

    async def tombstones_due(self, after: str = "", limit: int = 500) -> list[str]:
        return await self._readers.run(image_queries.tombstones_due, after, limit)

    async def mark_tombstone_written(self, slug: str, version: int | None) -> bool:
        return await self._write(image_changes.mark_tombstone_written, slug, version)

    async def unshipped_by_node(self) -> Mapping[str, int]:
        return await self._readers.run(image_queries.unshipped_by_node)

    async def erased(self, since_s: int, after: str = "", limit: int = 500) -> list[Erasure]:
        return await self._readers.run(image_queries.erased, since_s, after, limit)

    async def revised(self, since_s: int, after: str = "", limit: int = 500) -> list[Revision]:
        return await self._readers.run(image_queries.revised, since_s, after, limit)

    async def forget_tombstones(self, before_s: int, limit: int = 1000) -> int:
        return await self._write(image_changes.forget_tombstones, before_s, limit)

    # --- all images -----------------------------------------------------------------------------------------------

    async def page(self, after: str = "", limit: int = 1000) -> list[Image]:
        return await self._readers.run(image_queries.walk, sql.PAGE, after, limit)

    async def known(self, slugs: Iterable[str]) -> set[str]:
        asked = tuple(slugs)
        found: set[str] = set()
        for start in range(0, len(asked), ASKED_AT_ONCE):
            found |= await self._readers.run(image_queries.known, asked[start : start + ASKED_AT_ONCE])
        return found

    async def tombstoned(self, slugs: Iterable[str]) -> set[str]:
        return await self._readers.run(image_queries.tombstoned, tuple(slugs))

    async def backlog(self, now_s: int | None = None) -> Backlog:
        return await self._readers.run(image_queries.backlog, now_s)

    async def newest_created_s(self) -> int | None:
        return await self._readers.run(image_queries.newest_created_s)

    async def _write(self, change: Callable[..., Outcome[T]], *args: object, **kwargs: object) -> T:
        return await self._writer.run(lambda connection: change(connection, *args, **kwargs))
