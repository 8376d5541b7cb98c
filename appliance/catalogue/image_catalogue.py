"""The port of images."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from appliance.catalogue.values import UNCHANGED, Backlog, Erasure, Revision, Unchanged
from appliance.domain.model import IdempotencyRecord, Image, Tombstone
from appliance.domain.resumable_uploads import Upload


class ImageCatalogue(Protocol):
    """Images and the tombstones of erased ones, by slug."""

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
        """Add an image and, in the same moment, the record of its Idempotency-Key.

        With `upload`, that upload is done in the same moment, and its row is kept until `upload_kept_until_s`.
        An image that has an invite is, in the same moment, counted for it and put at the end of its album, which may
        have `max_album_images`.

        Raises Conflict if the slug is in use or has a tombstone, or if the upload was cancelled; IdempotencyKeyInUse if
        the key has a record already; UnknownInvite, GoneInvite, InviteFull. Nothing is added then.
        """

    async def get(self, slug: str) -> Image | Tombstone | None:
        """The image, ended ones included, or the tombstone of an erased one, after every change that has returned."""

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
        """Compare and set: change the given fields if the row still has `version`. Its sidecar is due then.

        With `one_view` a view that was begun is forgotten. Raises Conflict if the version differs, GoneImage if the
        image has ended or was erased, UnknownImage.
        """

    async def begin_view(self, slug: str, *, version: int, viewing: str, now_s: int, expires_s: int) -> Image:
        """Compare and set: from now on the holder of the ticket with the hash `viewing` views a one-view image.

        It expires at `expires_s` at the latest. Raises as `change` does.
        """

    async def revise(self, image: Image, *, is_replaced: bool = False) -> Image:
        """Compare and set: the row takes the image's facts, bytes, sha256 and what became of metadata.

        It must have the image's version. With `is_replaced` the original is in the spool of the image's node again, and
        due for shipping.
        Its sidecar is due, and prewarming where viewers see something else. Raises Conflict if the version differs,
        GoneImage if the image has ended or was erased, UnknownImage.
        """

    async def mark_original_only(self, slug: str, reason: str) -> None:
        """Record why no rendition can be made. The first reason stays; ended and unknown images are left alone."""

    async def mark_still(self, slug: str, reason: str) -> None:
        """Record why the animation can't be shown. The first reason stays; ended and unknown images are left alone."""

    async def mark_shipped(self, slug: str, sha256: str, *, may_be_restorable: bool = False) -> bool:
        """Record that the original with this sha256 is in the store.

        False if the image has ended, with `may_be_restorable` only if its erasing has begun: delete the object again
        then. Also if its original is another one by now.
        """

    async def mark_prewarmed(self, slugs: Iterable[str]) -> None:
        """Record that the renditions of these images were made. Raises InvalidField for more than `MAX_BATCH`."""

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """Record that the store's sidecar has this version. False if the row has changed since: it stays due."""

    async def claim(self, slugs: Iterable[str], node: str) -> None:
        """Record that the originals of these images are in the spool of `node`; those in the store are left alone.

        Raises InvalidField for more than `MAX_BATCH`.
        """

    async def unshipped(self, after: Image | None = None, limit: int = 500, *, node: str | None = None) -> list[Image]:
        """Living images whose original is not in the store yet, node by node: those after the image `after`.

        With `node`, only those whose original is in that node's spool.
        """

    async def unwarmed(self, after: str = "", limit: int = 500) -> list[Image]:
        """Living images whose renditions are still to be made, newest first: here `after` means older than."""

    async def sidecars_due(self, after: str = "", limit: int = 500) -> list[Image]:
        """Living images in the store whose sidecar is older than their row."""

    async def due(self, now_s: int, limit: int = 1000) -> list[str]:
        """The slugs of living images that have expired by `now_s`, longest overdue first."""

    async def expire(self, slugs: Iterable[str], *, now_s: int, erase_after_s: int) -> list[Image]:
        """End those of the images that are due at `now_s`, and return them as they are now.

        An image whose expiry was extended in the meantime is left alone. Raises InvalidField for more than `MAX_BATCH`.
        """

    async def end(
        self, slug: str, *, now_s: int, erase_after_s: int, version: int | None = None, for_good: bool = False
    ) -> Image:
        """End the image because its owner deleted it, if the row still has `version`.

        An expired image becomes a deleted one. An image that has ended is never erased later than it would have been,
        but may be sooner. With `for_good`, erasing begins in the same moment, so that `restore` is refused from then
        on. Its tombstone is due then. Raises Conflict if the version differs, GoneImage if it was erased, UnknownImage.
        """

    async def restore(self, slug: str, *, now_s: int, expires_s: int | None) -> Image:
        """Bring an ended image back, with a new expiry or, for None, the one that it had.

        It is due for prewarming and for a sidecar then, and after a deletion its tombstone is due. Raises Conflict if
        it has not ended or the expiry has passed, GoneImage if its erasing has begun, UnknownImage.
        """

    async def tombstones_due(self, after: str = "", limit: int = 500) -> list[str]:
        """Slugs whose deletion, or its undoing, the store doesn't know yet. Whether they have ended, their rows say."""

    async def mark_tombstone_written(self, slug: str, version: int | None) -> bool:
        """Record that the store knows of this version. A later one stays due; None says that the image is erased.

        False if this version isn't due: a later one is, or another node has recorded this one or a later one.
        """

    async def erasable(self, now_s: int, limit: int = 500, *, skipped: int = 0) -> list[Image]:
        """Ended images whose bytes may be erased at `now_s`, including those whose erasing was begun.

        The order is stable: `skipped` passes over the first ones, which could not be erased now.
        """

    async def begin_erase(self, slug: str, now_s: int) -> bool:
        """Begin erasing: `restore` is refused from here on. False if the image must be left alone."""

    async def confirm_erased(self, slug: str) -> None:
        """Replace the row by a tombstone. Raises Conflict if erasing was not begun; an absent row is fine."""

    async def unshipped_by_node(self) -> Mapping[str, int]:
        """How many living images have their original on which node alone, counted up to `COUNT_LIMIT` of each;
        "" is none.
        """

    async def erased(self, since_s: int, after: str = "", limit: int = 500) -> list[Erasure]:
        """What was erased after the slug `after` of the second `since_s` (of the database's clock), oldest first."""

    async def revised(self, since_s: int, after: str = "", limit: int = 500) -> list[Revision]:
        """The last revision of each image that `revise` changed for viewers, or gave another original.

        Those after the slug `after` of the second `since_s` (of the database's clock), oldest first. Images that were
        erased have none.
        """

    async def forget_tombstones(self, before_s: int, limit: int = 1000) -> int:
        """Forget tombstones of images that ended before `before_s`, oldest first. Returns how many."""

    async def page(self, after: str = "", limit: int = 1000) -> list[Image]:
        """All images, ended ones included."""

    async def known(self, slugs: Iterable[str]) -> set[str]:
        """Those of the slugs, any number, that have a row or a tombstone."""

    async def tombstoned(self, slugs: Iterable[str]) -> set[str]:
        """Those of the slugs, a few thousand at most, that were erased: they have a tombstone and no row."""

    async def backlog(self, now_s: int | None = None) -> Backlog:
        """How many images wait for each job. `erasable` counts every ended image unless `now_s` is given."""

    async def newest_created_s(self) -> int | None:
        """When the newest image was made, None without images; looks at the 1000 newest slugs."""
