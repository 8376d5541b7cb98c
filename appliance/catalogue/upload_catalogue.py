"""The port of resumable uploads."""

from collections.abc import Iterable
from typing import Protocol

from appliance.domain.resumable_uploads import Refusal, Upload


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

    async def claim(self, id_hashes: Iterable[str], node: str) -> None:
        """Record that `node` has the bytes of these uploads, unless they are another node's.

        Ended ones are left alone. A node with the same data directory is the same node under its former name.
        """

    async def move(self, upload: Upload, node: str) -> bool:
        """Record that `node` has the upload's bytes now. False if the row has another node by now, or has ended."""

    async def take_over(self, upload: Upload, node: str) -> bool:
        """Record that `node` has the upload's bytes, because the upload's node is lost (see `Node.is_lost`).

        Of several nodes one gets it: False if the row has another node by now, or has ended, or its node isn't lost.
        """

    async def keep_until(self, id_hash: str, expires_s: int) -> bool:
        """Set when the upload is given up. False, and nothing is set, if it has ended."""

    async def refuse(self, upload: Upload, refusal: Refusal, *, now_s: int, kept_until_s: int) -> bool:
        """End an upload whose bytes are no acceptable image; its slug gets a tombstone.

        False if it had ended, or has another node than the upload.
        """

    async def give_up(
        self, upload: Upload, *, now_s: int, kept_until_s: int, for_good: bool = True, is_overdue: bool = False
    ) -> bool:
        """End the upload because it was cancelled or abandoned. Its texts and headers are forgotten.

        Its slug gets a tombstone, unless `for_good` is false: then the slug was never given out. False if it had ended
        already, or has another node than the upload; an image that it became stays. With `is_overdue` also, and nothing
        changes, if it isn't overdue at `now_s`: more of it may have come.
        """

    async def count_unfinished(self, now_s: int, limit: int) -> int:
        """How many uploads are being received and not overdue, counted up to `limit`."""

    async def due(self, now_s: int, *, node: str | None = None, after_s: int = 0, limit: int = 500) -> list[Upload]:
        """Uploads being received that are overdue at `now_s`, longest overdue first, due later than `after_s`.

        With `node` only those of that node, under this name or a former one, and those of nodes that were forgotten.
        """

    async def needing_parts(self) -> list[Upload]:
        """Final uploads that may still need their parts.

        They are being received, or a node alone has the original of their image, which lives or can be restored.
        """

    async def forget(self, now_s: int, limit: int = 1000) -> int:
        """Forget ended uploads that were kept long enough. Returns how many.

        Those stay whose image's original is on a node alone: it may come back from their segments.
        """
