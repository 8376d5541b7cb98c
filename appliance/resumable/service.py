"""The front of resumable uploads: create, append, ask, terminate. It reads like tus; nothing here knows HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from appliance.catalogue import Catalogue
from appliance.config.model import Uploads
from appliance.domain import slugs, tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    ApplianceError,
    DiskFull,
    FinalUpload,
    GoneImage,
    GoneUpload,
    MalformedRequest,
    OffsetMismatch,
    Stopping,
    UnknownImage,
    UnknownUpload,
    UploadLocked,
    UploadPaused,
)
from appliance.domain.model import Ending, Image, Tombstone, Upload, UploadKind, UploadState
from appliance.domain.visibility import require_visible
from appliance.lifecycle.management import check_token
from appliance.observability.metrics import Metrics
from appliance.resumable.creation import Creating
from appliance.resumable.finisher import KEPT_S, Finisher
from appliance.resumable.part_reservations import Claims
from appliance.resumable.progress import Body, Progress, Wanted, fault_of
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import Turn, Turns
from appliance.spool import Spool, no_room, too_large
from appliance.uploads.admission import Admission, Offer, OfferKind
from appliance.uploads.committer import Committer

PAUSED_S = 10
SLACK = 0.1  # of the time an upload may rest: its row is not written anew for less


class Resumable:
    """Receives uploads in any number of requests. Bytes are counted by their file alone."""

    def __init__(
        self,
        limits: Uploads,
        *,
        catalogue: Catalogue,
        spool: Spool,
        admission: Admission,
        unfinished: UnfinishedUploads,
        committer: Committer,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._limits = limits
        self._catalogue = catalogue
        self._rows = catalogue.uploads
        self._files = spool.uploads
        self._admission = admission
        self._unfinished = unfinished
        self._clock = clock
        self._stopping = False
        self.turns = Turns()
        self._claims = Claims()
        self._creating = Creating(
            limits,
            rows=catalogue.uploads,
            files=spool.uploads,
            admission=admission,
            turns=self.turns,
            claims=self._claims,
            unfinished=unfinished,
            clock=clock,
        )
        self.finisher = Finisher(
            catalogue=catalogue.uploads,
            spool=spool,
            committer=committer,
            turns=self.turns,
            claims=self._claims,
            unfinished=unfinished,
            metrics=metrics,
            clock=clock,
        )

    def pause(self) -> None:
        """The server is about to stop: what is being received is saved, its requests end, and no new ones begin."""
        self._stopping = True
        self.turns.hand_over_all()
        self.finisher.wake_all()

    async def stop(self) -> None:
        """End what runs; all of it goes on after the next start."""
        self.pause()
        self._files.close()
        await self.finisher.stop()

    # --- creating -------------------------------------------------------------------------------------------------

    async def create(self, wanted: Wanted) -> tuple[str, Progress]:
        """A new upload's secret id, and how far it is. One made of parts is put together at once.

        Raises Draining, TooLarge, EmptyUpload, DiskFull, Busy, InvalidField, InvalidExpiry, MalformedRequest,
        PartsUnfinished.
        """
        self._refuse_when_stopping()
        if wanted.kind is UploadKind.FINAL:
            upload_id, upload = await self._creating.put_together(wanted)
            return upload_id, await self._settled(upload)
        upload_id, upload = await self._creating.begin(wanted)
        return upload_id, Progress(upload, 0)

    async def create_with(self, wanted: Wanted, body: Body) -> tuple[str, Progress]:
        """A new upload with its first bytes. Where they can't be taken nothing of it is kept: nobody knows its id yet.

        Raises as `create` and `append` do.
        """
        upload_id, _ = await self.create(wanted)
        try:
            return upload_id, await self.append(upload_id, 0, body)
        except BaseException as fault:
            await asyncio.shield(self._discard(upload_id))
            if isinstance(fault, UploadPaused):
                raise no_room(wanted.length or body.announced_bytes) from fault
            raise

    # --- receiving ------------------------------------------------------------------------------------------------

    async def append(self, upload_id: str, offset: int, body: Body) -> Progress:
        """Put bytes at the end. Whatever arrives before the stream breaks off is kept, unless it has a checksum.

        Raises UnknownUpload, GoneUpload, FinalUpload, OffsetMismatch, TooLarge, ChecksumMismatch, Busy, Stopping,
        Draining, UploadLocked, UploadPaused where the disk takes no more, DiskFull where it doesn't keep an upload
        that is whole, the refusal when these were the last bytes of no image, and whatever the stream raises.
        """
        self._refuse_when_stopping()
        self._admission.require_open()  # before a running request would give way to one that is refused
        async with self._taking(upload_id) as (turn, known):
            self._check_offset(known, offset)
            upload = await self._with_length(known, offset, body.length)
            await self._take(turn, upload, offset, body)
        return await self._settled(upload)

    @asynccontextmanager
    async def _taking(self, upload_id: str) -> AsyncIterator[tuple[Turn, Upload]]:
        await self._known(upload_id)  # whoever guesses ids is to push no real upload's turn out
        turn = self.turns.of(tokens.hash_secret(upload_id))
        async with turn.taking():
            yield turn, await self._known(upload_id)

    def _check_offset(self, upload: Upload, offset: int) -> None:
        if upload.kind is UploadKind.FINAL:
            raise FinalUpload("This upload is assembled from parts and accepts no data of its own.")
        if upload.refusal is not None:
            raise fault_of(upload.refusal)
        here = self._offset(upload)
        if offset != here:
            raise OffsetMismatch(
                f"The upload continues at byte {here:,}, not at {offset:,}.", limit=here, actual=offset, retry_after_s=1
            )

    async def _with_length(self, upload: Upload, offset: int, length: int | None) -> Upload:
        """The upload with a length that was deferred till now. Raises MalformedRequest, TooLarge."""
        if length is None or length == upload.length:
            return upload
        if upload.length is not None or length < max(1, offset):
            raise MalformedRequest("Upload-Length can be set only once, and not below what has arrived.")
        self._admission.check_size(length)
        await self._rows.set_length(upload.id_hash, length)
        return replace(upload, length=length)

    async def _take(self, turn: Turn, upload: Upload, offset: int, body: Body) -> None:
        most = (self._admission.max_bytes if upload.length is None else upload.length) - offset
        if body.announced_bytes is not None and body.announced_bytes > most:
            raise too_large(offset + most, offset + body.announced_bytes)
        if body.announced_bytes == 0 or (upload.state is not UploadState.RECEIVING):
            return
        self._catch_up(turn, upload)
        try:
            async with self._admission.admitted(Offer(body.client, OfferKind.CONTINUING)) as permit:
                self._refuse_when_stopping()
                async with turn.receiving():
                    await self._files.append(
                        upload.id_hash,
                        self._kept(upload, permit.counted(body.stream)),
                        announced_bytes=body.announced_bytes or 0,
                        left_bytes=most,
                        digest=turn.digest,
                        checksum=body.checksum,
                        client=body.client.key,
                        since_s=upload.created_s,
                    )
        except UploadLocked:
            self._refuse_when_stopping()
            raise
        except DiskFull as fault:
            raise UploadPaused(retry_after_s=PAUSED_S) from fault

    async def _kept(self, upload: Upload, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream. An upload lives for some time after its last bytes; a request that brings none keeps nothing."""
        async for chunk in stream:
            upload = await self._keep(upload)
            yield chunk

    async def _keep(self, upload: Upload) -> Upload:
        until_s = int(self._clock()) + self._creating.rests_s
        if upload.expires_s < until_s - SLACK * self._creating.rests_s:
            await self._rows.keep_until(upload.id_hash, until_s)
            return replace(upload, expires_s=until_s)
        return upload

    def _catch_up(self, turn: Turn, upload: Upload) -> None:
        """After a restart the digest reads what is here already, beside what comes."""
        behind = turn.digest.bytes < self._files.offset(upload.id_hash)
        if behind and (turn.catching_up is None or turn.catching_up.done()):
            turn.catching_up = asyncio.create_task(self._files.catch_up(upload.id_hash, turn.digest))
            turn.catching_up.add_done_callback(lambda task: task.cancelled() or task.exception())

    # --- asking ---------------------------------------------------------------------------------------------------

    async def head(self, upload_id: str) -> Progress:
        """How far the upload is, once whoever was receiving for it has saved what came.

        Raises UnknownUpload, GoneUpload, UploadLocked, and the refusal of one that became no image.
        """
        async with self._taking(upload_id) as (_, upload):
            pass
        return await self._settled(upload)

    async def state(self, upload_id: str) -> Progress:
        """The same beside running work, for those who only watch. Raises UnknownUpload, GoneUpload."""
        return await self._progress(await self._known(upload_id))

    async def arriving(self, slug: str) -> Progress | None:
        """The upload that is to become the image of this link; None when none is, or none is any more.

        Raises GoneImage for one that was given up or refused, also before the job comes by that gives it up.
        """
        upload = await self._rows.by_slug(slug) if slugs.is_slug(slug) else None
        if upload is None or upload.state is UploadState.DONE:
            return None
        if upload.state is not UploadState.RECEIVING or self._is_over(upload):
            require_visible(Tombstone(slug, Ending.UNFINISHED, upload.expires_s), self._clock())
        return await self._progress(upload)

    # --- ending ---------------------------------------------------------------------------------------------------

    async def terminate(self, upload_id: str) -> None:
        """Give the upload up. An image that it became already stays. Raises UnknownUpload, GoneUpload, UploadLocked."""
        async with self._taking(upload_id) as (_, upload):
            await self.give_up(upload)

    async def withdraw(self, slug: str, token: str | None) -> bool:
        """Give up what is to become the image of this link, for the holder of its token.

        False when nothing is, or when it has just become the image, which stays.

        Raises MissingToken, WrongToken, GoneImage, UploadLocked.
        """
        progress = await self.arriving(slug)
        if progress is None:
            return False
        check_token(token, progress.upload.token_hash or "")
        async with self.turns.of(progress.upload.id_hash).taking():
            return await self.give_up(progress.upload)

    async def give_up(self, upload: Upload) -> bool:
        """For whoever has the upload's turn, or knows that nobody has. False when it had ended before."""
        now_s = int(self._clock())
        for_good = self._offset(upload) > 0  # an empty one's link need not be remembered for a year
        given_up = await self._rows.give_up(upload, now_s=now_s, kept_until_s=now_s + KEPT_S, for_good=for_good)
        self.finisher.tell(upload)
        if not self.finisher.is_at(upload.id_hash):  # it clears up itself
            self._claims.release(upload.id_hash)
            self._unfinished.end(upload.id_hash)
            await self._files.remove(upload.id_hash)
        return given_up

    # --- what is known --------------------------------------------------------------------------------------------

    async def _known(self, upload_id: str) -> Upload:
        upload = await self._rows.get(tokens.hash_secret(upload_id))
        if upload is None:
            raise UnknownUpload("There is no upload at this address, or it ended more than a day ago.")
        if upload.state is UploadState.GONE or self._is_over(upload):
            raise GoneUpload
        return upload

    def _is_over(self, upload: Upload) -> bool:
        """Whether nothing came for too long. What has all its bytes is never given up."""
        overdue = upload.state is UploadState.RECEIVING and upload.expires_s <= self._clock()
        return overdue and not self.is_complete(upload)

    def is_complete(self, upload: Upload) -> bool:
        """Whether all bytes of a living upload are here, or are bound to come from its parts."""
        if upload.kind is UploadKind.PARTIAL:
            return False
        return upload.kind is UploadKind.FINAL or self._offset(upload) == upload.length

    def _offset(self, upload: Upload) -> int:
        if upload.length is not None and (upload.state is UploadState.DONE or self.finisher.is_at(upload.id_hash)):
            return upload.length
        return self._files.offset(upload.id_hash)

    async def _progress(self, upload: Upload) -> Progress:
        return Progress(upload, self._offset(upload), await self._image(upload))

    async def _image(self, upload: Upload) -> Image | None:
        if upload.slug is None or upload.state is not UploadState.DONE:
            return None
        try:
            return require_visible(await self._catalogue.images.get(upload.slug), self._clock())
        except (UnknownImage, GoneImage):
            return None

    async def _settled(self, upload: Upload) -> Progress:
        """How far it is, after waiting for the verdict on an upload whose bytes are all here, within the ack budget.

        Raises the refusal, and faults that will pass.
        """
        if upload.state is UploadState.RECEIVING and self.is_complete(upload):
            finishing = self.finisher.begin(upload)
            done, _ = await asyncio.wait([finishing], timeout=self._limits.ack_budget_s)
            if done and not finishing.cancelled():
                finishing.result()
        row = await self._rows.get(upload.id_hash) or upload
        if row.state is UploadState.GONE:
            return await self._ended_before_it_was_given_up(upload)
        if row.refusal is not None:
            raise fault_of(row.refusal)
        return await self._progress(row)

    async def _ended_before_it_was_given_up(self, upload: Upload) -> Progress:
        """Who sent the last bytes is told of the image that they became, as long as it lives. Raises GoneUpload."""
        done = replace(upload, state=UploadState.DONE)
        image = await self._image(done)
        if image is None:
            raise GoneUpload
        return Progress(done, image.bytes, image)

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise Stopping("The server is restarting. What was uploaded is kept; resume in a moment.", retry_after_s=2)

    async def _discard(self, upload_id: str) -> None:
        with contextlib.suppress(ApplianceError):  # what can't be given up now is given up in time
            await self.terminate(upload_id)
