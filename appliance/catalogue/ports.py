"""The ports of the catalogue: what the rest of the appliance may ask of it, whatever database is behind it.

Every method may raise CatalogueUnavailable (the database can't be reached, read or written), CatalogueDamaged, and
Stopping once `Catalogue.stop` was called; every change may also raise DiskFull. A docstring names only what else its
method raises. A change is durable when its method returns, and is made whole or not at all. Cancelling the caller does
not undo a change that was handed over.

Times are unix seconds (UTC). Walks are in the order of slugs, which is that of time: pass the last slug of one batch as
`after` to get the next one; "" starts. `tests/contract/catalogue` holds each implementation to these promises.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self

from appliance.catalogue.ban_catalogue import BanCatalogue
from appliance.catalogue.day_budget_catalogue import DayBudgetCatalogue
from appliance.catalogue.invite_catalogue import InviteCatalogue
from appliance.catalogue.key_catalogue import KeyCatalogue
from appliance.catalogue.purge_outbox import PurgeOutbox
from appliance.catalogue.record_outbox import RecordOutbox
from appliance.catalogue.values import UNCHANGED, Backlog, Unchanged
from appliance.domain.model import Album, IdempotencyRecord, Image, Tombstone
from appliance.domain.resumable_uploads import Refusal, Upload


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

        It must have the image's version. With `is_replaced` the original is in the spool again, and due for shipping.
        Its sidecar is due, and prewarming where viewers see something else. Raises Conflict if the version differs,
        GoneImage if the image has ended or was erased, UnknownImage.
        """

    async def mark_original_only(self, slug: str, reason: str) -> None:
        """Record why no rendition can be made. The first reason stays; ended and unknown images are left alone."""

    async def mark_still(self, slug: str, reason: str) -> None:
        """Record why the animation can't be shown. The first reason stays; ended and unknown images are left alone."""

    async def mark_shipped(self, slug: str) -> bool:
        """Record that the original is in the store. False if the image has ended: delete the object again then."""

    async def mark_prewarmed(self, slugs: Iterable[str]) -> None:
        """Record that the renditions of these images were made. Raises InvalidField for more than `MAX_BATCH`."""

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """Record that the store's sidecar has this version. False if the row has changed since: it stays due."""

    async def unshipped(self, after: str = "", limit: int = 500) -> list[Image]:
        """Living images whose original is not in the store yet."""

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

    async def mark_tombstone_written(self, slug: str, version: int | None) -> None:
        """Record that the store knows of this version. A later one stays due; None says that the image is erased."""

    async def erasable(self, now_s: int, limit: int = 500, *, skipped: int = 0) -> list[Image]:
        """Ended images whose bytes may be erased at `now_s`, including those whose erasing was begun.

        The order is stable: `skipped` passes over the first ones, which could not be erased now.
        """

    async def begin_erase(self, slug: str, now_s: int) -> bool:
        """Begin erasing: `restore` is refused from here on. False if the image must be left alone."""

    async def confirm_erased(self, slug: str) -> None:
        """Replace the row by a tombstone. Raises Conflict if erasing was not begun; an absent row is fine."""

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


class UploadCatalogue(Protocol):
    """Resumable uploads, by the hash of their id. Ended ones are kept for a while, to answer late requests."""

    async def add(self, upload: Upload) -> None:
        """Add an upload whose id and slug are new."""

    async def get(self, id_hash: str) -> Upload | None:
        """The upload, ended ones included, until it is forgotten."""

    async def by_slug(self, slug: str) -> Upload | None:
        """The upload that has this slug, ended ones included, until it is forgotten."""

    async def set_length(self, id_hash: str, length: int) -> bool:
        """Set a deferred length, in bytes. False if it is known already or the upload has ended."""

    async def complete(self, id_hash: str, length: int) -> bool:
        """Record that all bytes of an open upload are sent, `length` of them. False if it is not open or has ended."""

    async def set_edits(self, id_hash: str, edits: bytes, *, credentials: bool = False) -> None:
        """Record what is about to be overwritten in the file, and whether content credentials are part of it.

        Once recorded, `had_credentials` stays true. Ended uploads are left alone.
        """

    async def keep_until(self, id_hash: str, expires_s: int) -> None:
        """Set when the upload is given up. Ended uploads are left alone."""

    async def refuse(self, upload: Upload, refusal: Refusal, *, now_s: int, kept_until_s: int) -> bool:
        """End an upload whose bytes are no acceptable image; its slug gets a tombstone. False if it had ended."""

    async def give_up(self, upload: Upload, *, now_s: int, kept_until_s: int, for_good: bool = True) -> bool:
        """End the upload because it was cancelled or abandoned. Its texts and headers are forgotten.

        Its slug gets a tombstone, unless `for_good` is false: then the slug was never given out. False if it had ended
        already; an image that it became stays.
        """

    async def count_unfinished(self, now_s: int, limit: int) -> int:
        """How many uploads are being received and not overdue, counted up to `limit`."""

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 500) -> list[Upload]:
        """Uploads being received that are overdue at `now_s`, longest overdue first, due later than `after_s`."""

    async def forget(self, now_s: int, limit: int = 1000) -> int:
        """Forget ended uploads that were kept long enough. Returns how many."""


class AlbumCatalogue(Protocol):
    """Albums, by slug."""

    async def add(self, album: Album, idempotency: IdempotencyRecord | None = None) -> None:
        """Add an album and, in the same moment, the record of its Idempotency-Key. Its sidecar is due then.

        Raises Conflict if the slug is in use, IdempotencyKeyInUse if the key has a record already.
        """

    async def get(self, slug: str) -> Album | None:
        """The album, ended and erased ones included, until it is forgotten."""

    async def images(self, slugs: Sequence[str]) -> list[Image]:
        """The rows of these images in the given order, ended ones included; erased and unknown ones are left out."""

    async def change(self, album: Album) -> None:
        """Compare and set: the row becomes `album` if it has the version before. Raises Conflict.

        Its sidecar is due then, unless the album is erased.
        """

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 200) -> list[Album]:
        """Living albums that may have ended by `now_s`, longest overdue first, due later than `after_s`."""

    async def erasable(self, now_s: int, limit: int = 200, *, skipped: int = 0) -> list[Album]:
        """Ended albums that may be erased at `now_s`; `skipped` passes over the first ones."""

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget erased albums that ended before `before_s`. Returns how many."""

    async def sidecars_due(self, after: str = "", limit: int = 100) -> list[Album]:
        """Albums whose record in the store is older than their row."""

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """Record that the store has this version. False if the row has changed since: it stays due."""


class IdempotencyCatalogue(Protocol):
    """The first response to each Idempotency-Key. Records are added with the image or album they belong to."""

    async def get(self, key_hash: str) -> IdempotencyRecord | None:
        """The record of the key, until it is forgotten."""

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget records that were made before `before_s`, oldest first. Returns how many."""


class Notes(Protocol):
    """Short texts by name that a job leaves for its next run."""

    async def get(self, name: str) -> str | None:
        """The text, or None if none was left."""

    async def set(self, name: str, value: str) -> None:
        """Leave a text, which replaces the one before."""


class Catalogue(Protocol):
    """A catalogue with all its parts, owned by one process."""

    @property
    def images(self) -> ImageCatalogue: ...
    @property
    def uploads(self) -> UploadCatalogue: ...
    @property
    def albums(self) -> AlbumCatalogue: ...
    @property
    def idempotency(self) -> IdempotencyCatalogue: ...
    @property
    def purges(self) -> PurgeOutbox: ...
    @property
    def keys(self) -> KeyCatalogue: ...
    @property
    def invites(self) -> InviteCatalogue: ...
    @property
    def bans(self) -> BanCatalogue: ...
    @property
    def records(self) -> RecordOutbox: ...
    @property
    def notes(self) -> Notes: ...
    @property
    def day_budgets(self) -> DayBudgetCatalogue: ...

    @property
    def fault(self) -> str | None:
        """Why the last change could not be saved, in words; None if it could."""

    async def start(self) -> None:
        """Open the database, create it if there is none, and bring its schema up to this release.

        Raises CatalogueTooNew if a newer release has changed it, UnfitInstallation if the database is too old.
        """

    async def stop(self) -> None:
        """Commit everything that was handed over, and close. Safe to call twice, and after a failed start."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
