"""Withdrawals: unfinished uploads that are given up, by who uploads, by who holds the link's token, or by time."""

from appliance.catalogue import UploadCatalogue
from appliance.domain.clock import Clock
from appliance.domain.resumable_uploads import Upload
from appliance.lifecycle.management import Proof, check_token
from appliance.resumable.finisher import KEPT_S, UploadFinisher
from appliance.resumable.lookup import UploadLookup
from appliance.resumable.part_reservations import PartReservations
from appliance.resumable.segment_writer import SegmentWriter
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import UploadLocks
from appliance.spool.resumed import UploadFiles


class Withdrawals:
    """Gives uploads up, and removes what is here of them."""

    def __init__(
        self,
        *,
        rows: UploadCatalogue,
        files: UploadFiles,
        lookup: UploadLookup,
        locks: UploadLocks,
        finisher: UploadFinisher,
        reservations: PartReservations,
        unfinished: UnfinishedUploads,
        writer: SegmentWriter | None,
        clock: Clock,
    ) -> None:
        self._rows = rows
        self._files = files
        self._lookup = lookup
        self._locks = locks
        self._finisher = finisher
        self._reservations = reservations
        self._unfinished = unfinished
        self._writer = writer
        self._clock = clock

    async def by_token(self, slug: str, token: Proof) -> bool:
        """Give up the unfinished upload behind an image's link, for the holder of its delete token or key.

        False when there is none, or when it has just become the image, which stays.

        Raises MissingToken, WrongToken, KeyScope, GoneImage, UploadLocked.
        """
        upload = await self._lookup.by_slug(slug)
        if upload is None:
            return False
        check_token(token, upload.token_hash or "", upload.access_key)
        async with self._locks.of(upload.id_hash).held():
            return await self.give_up(upload)

    async def expire(self, upload: Upload, *, is_link_known: bool = False) -> bool:
        """Give the upload up, as `give_up` does, unless it isn't overdue any more: more of it came meanwhile."""
        return await self._give_up(upload, is_link_known=is_link_known, is_overdue=True)

    async def give_up(self, upload: Upload) -> bool:
        """Give the upload up, for a caller that holds its lock or knows that nobody does. False when it had ended.

        With a final one its parts are given up, unless others are assembled from them.
        The link of an empty one need not be remembered for a year, unless others may know it (`is_link_known`).
        """
        return await self._give_up(upload, is_link_known=False, is_overdue=False)

    async def _give_up(self, upload: Upload, *, is_link_known: bool, is_overdue: bool) -> bool:
        now_s = int(self._clock())
        for_good = is_link_known or self._lookup.offset(upload) > 0
        given_up = await self._rows.give_up(
            upload, now_s=now_s, kept_until_s=now_s + KEPT_S, for_good=for_good, is_overdue=is_overdue
        )
        if is_overdue and not given_up:
            return False
        self._finisher.notify(upload)
        if not self._finisher.is_finishing(upload.id_hash):  # which cleans up itself
            if given_up:
                await self._finisher.drop_parts(upload)
            self._reservations.release(upload.id_hash)
            self._unfinished.end(upload.id_hash)
            if self._writer is not None:
                self._writer.end(upload)
            await self._files.remove(upload.id_hash)
        return given_up
