"""The front of resumable uploads: create, append, ask, terminate. It reads like tus; nothing here knows HTTP."""

import asyncio
from dataclasses import replace

from appliance import slugs, tokens
from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.config import Uploads
from appliance.errors import (
    ApplianceError,
    ChecksumMismatch,
    EmptyUpload,
    FinalUpload,
    GoneImage,
    MalformedRequest,
    OffsetMismatch,
    PartsUnfinished,
    Stopping,
    UnknownImage,
    UnknownUpload,
    UploadLocked,
)
from appliance.ingest import Ingest
from appliance.living import living
from appliance.metrics import Metrics
from appliance.model import Image, Upload, UploadKind, UploadState
from appliance.resumable.finishing import KEPT_S, Finisher
from appliance.resumable.progress import Body, Progress, Wanted, fault_of, gone, part_ids
from appliance.resumable.turns import Turn, Turns
from appliance.spool import Spool, too_large

HOUR_S = 3600
EMPTY_S = 900  # an upload that stays empty was most likely never meant
SLACK = 0.1  # of the time an upload may rest: its row is not written anew for less


class Resumable:
    """Receives uploads in any number of requests. Bytes are counted by their file alone."""

    def __init__(
        self, limits: Uploads, *, catalogue: Catalogue, spool: Spool, ingest: Ingest, metrics: Metrics, clock: Clock
    ) -> None:
        self._limits = limits
        self._catalogue = catalogue
        self._rows = catalogue.uploads
        self._files = spool.uploads
        self._ingest = ingest
        self._clock = clock
        self._stopping = False
        self.turns = Turns()
        self.finisher = Finisher(
            catalogue=catalogue, spool=spool, ingest=ingest, turns=self.turns, metrics=metrics, clock=clock
        )

    def pause(self) -> None:
        """The server is about to stop: what is being received is saved, its requests end, and no new ones begin."""
        self._stopping = True
        self.turns.hand_over_all()

    async def stop(self) -> None:
        """End what runs; all of it goes on after the next start."""
        self.pause()
        self._files.close()
        await self.finisher.stop()

    # --- creating -------------------------------------------------------------------------------------------------

    async def create(self, wanted: Wanted) -> tuple[str, Progress]:
        """A new upload's secret id, and how far it is. One made of parts is put together at once.

        Raises TooLarge, EmptyUpload, DiskFull, Busy, InvalidField, InvalidExpiry, MalformedRequest, PartsUnfinished.
        """
        self._refuse_when_stopping()
        if wanted.kind is UploadKind.FINAL:
            wanted = replace(wanted, length=await self._length_of_parts(wanted.concat))
        if wanted.length == 0:
            raise EmptyUpload("The file has no bytes. Choose a file that has some.")
        await self._ingest.check(wanted.length or 0, wanted.wishes)
        upload_id = tokens.fresh_token()
        upload = self._minted(upload_id, wanted)
        if upload.kind is UploadKind.FINAL:
            await self._files.create(upload.id_hash)  # so that a restart finds it
        await self._rows.add(upload)
        return upload_id, await self._settled(upload) if upload.kind is UploadKind.FINAL else Progress(upload, 0)

    def _minted(self, upload_id: str, wanted: Wanted) -> Upload:
        now_s = int(self._clock())
        slug = None if wanted.kind is UploadKind.PARTIAL else slugs.mint(now_s)
        lasts_s = self._rests_s if wanted.with_bytes or wanted.kind is UploadKind.FINAL else min(EMPTY_S, self._rests_s)
        return Upload(
            id_hash=tokens.hashed(upload_id),
            kind=wanted.kind,
            slug=slug,
            token_hash=slug and tokens.hashed(tokens.derived_token(upload_id, slug)),
            length=wanted.length,
            filename=wanted.wishes.filename,
            title=wanted.wishes.title,
            alt=wanted.wishes.alt,
            expires_in_s=wanted.wishes.expires_in_s,
            metadata=wanted.metadata,
            concat=wanted.concat,
            created_s=now_s,
            expires_s=now_s + lasts_s,
        )

    @property
    def _rests_s(self) -> int:
        return int(self._limits.unfinished_hours * HOUR_S)

    async def _length_of_parts(self, concat: str) -> int:
        total = 0
        for part_id in part_ids(concat):
            part = await self._rows.get(tokens.hashed(part_id))
            if part is None or part.kind is not UploadKind.PARTIAL or part.state is not UploadState.RECEIVING:
                raise PartsUnfinished("A part that was named is no partial upload of this host, or is gone.")
            if part.length is None or part.length != self._files.offset(part.id_hash):
                raise PartsUnfinished("A part that was named has not all its bytes yet. Send them first.")
            total += part.length
        return total

    # --- receiving ------------------------------------------------------------------------------------------------

    async def append(self, upload_id: str, offset: int, body: Body) -> Progress:
        """Put bytes at the end. Whatever arrives before the stream breaks off is kept, unless it has a checksum.

        Raises UnknownUpload, GoneUpload, FinalUpload, OffsetMismatch, TooLarge, ChecksumMismatch, DiskFull, Busy,
        Stopping, UploadLocked, the refusal when these were the last bytes of no image, and whatever the stream raises.
        """
        self._refuse_when_stopping()
        turn = self.turns.of(tokens.hashed(upload_id))
        async with turn.taking():
            upload = await self._known(upload_id)
            self._check_offset(upload, offset)
            upload = await self._with_length(upload, offset, body.length)
            await self._take(turn, upload, offset, body)
        return await self._settled(upload)

    def _check_offset(self, upload: Upload, offset: int) -> None:
        if upload.kind is UploadKind.FINAL:
            raise FinalUpload("This upload is put together from parts; it takes no bytes of its own.")
        if upload.refusal is not None:
            raise fault_of(upload.refusal)
        here = self._offset(upload)
        if offset != here:
            raise OffsetMismatch(
                f"The upload goes on at byte {here:,}, not at {offset:,}.", limit=here, actual=offset, retry_after_s=1
            )

    async def _with_length(self, upload: Upload, offset: int, length: int | None) -> Upload:
        """The upload with a length that was deferred till now. Raises MalformedRequest, TooLarge."""
        if length is None or length == upload.length:
            return upload
        if upload.length is not None or length < max(1, offset):
            raise MalformedRequest("Upload-Length is set once, and is no less than what has come.")
        if length > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes, length)
        await self._rows.set_length(upload.id_hash, length)
        return replace(upload, length=length)

    async def _take(self, turn: Turn, upload: Upload, offset: int, body: Body) -> None:
        most = (self._limits.max_bytes if upload.length is None else upload.length) - offset
        if body.announced_bytes is not None and body.announced_bytes > most:
            raise too_large(offset + most, offset + body.announced_bytes)
        if body.announced_bytes == 0 or (upload.state is not UploadState.RECEIVING):
            return
        upload = await self._keep(upload)
        self._catch_up(turn, upload)
        try:
            with self._ingest.place():
                async with turn.receiving():
                    await self._files.append(
                        upload.id_hash,
                        body.stream,
                        announced_bytes=body.announced_bytes or 0,
                        most_bytes=most,
                        digest=turn.digest,
                        checksum=body.checksum,
                    )
        except UploadLocked:
            self._refuse_when_stopping()
            raise
        finally:
            await self._keep(upload)

    async def _keep(self, upload: Upload) -> Upload:
        """An upload lives for some time after the last request that brought it bytes."""
        until_s = int(self._clock()) + self._rests_s
        if upload.expires_s < until_s - SLACK * self._rests_s:
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
        async with self.turns.of(tokens.hashed(upload_id)).taking():
            upload = await self._known(upload_id)
        return await self._settled(upload)

    async def state(self, upload_id: str) -> Progress:
        """The same beside running work, for those who only watch. Raises UnknownUpload, GoneUpload."""
        return await self._progress(await self._known(upload_id))

    async def arriving(self, slug: str) -> Progress | None:
        """The upload that is to become the image of this link; None when there is none any more."""
        upload = await self._rows.by_slug(slug) if slugs.is_slug(slug) else None
        if upload is None or upload.state is not UploadState.RECEIVING or self._is_over(upload):
            return None
        return await self._progress(upload)

    # --- ending ---------------------------------------------------------------------------------------------------

    async def terminate(self, upload_id: str) -> None:
        """Give the upload up. An image that it became already stays. Raises UnknownUpload, GoneUpload, UploadLocked."""
        async with self.turns.of(tokens.hashed(upload_id)).taking():
            upload = await self._known(upload_id)
            await self.give_up(upload)

    async def give_up(self, upload: Upload) -> None:
        """For whoever has the upload's turn, or knows that nobody has."""
        now_s = int(self._clock())
        await self._rows.give_up(upload, now_s=now_s, kept_until_s=now_s + KEPT_S)
        if not self.finisher.is_at(upload.id_hash):  # it clears up itself
            await self._files.remove(upload.id_hash)

    # --- what is known --------------------------------------------------------------------------------------------

    async def _known(self, upload_id: str) -> Upload:
        upload = await self._rows.get(tokens.hashed(upload_id))
        if upload is None:
            raise UnknownUpload("No upload has this address, or it ended more than a day ago.")
        if upload.state is UploadState.GONE or self._is_over(upload):
            raise gone()
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
            return living(await self._catalogue.get(upload.slug), self._clock())
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
        upload = await self._rows.get(upload.id_hash) or upload
        if upload.state is UploadState.GONE:
            raise gone()
        if upload.refusal is not None:
            raise fault_of(upload.refusal)
        return await self._progress(upload)

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise Stopping("The server is restarting; what came was kept. Go on in a moment.", retry_after_s=2)

    async def discard_after(self, upload_id: str, fault: ApplianceError) -> None:
        """A creation whose bytes were refused never told its id to anybody: nothing of it need be kept."""
        if isinstance(fault, ChecksumMismatch):
            await self.terminate(upload_id)
