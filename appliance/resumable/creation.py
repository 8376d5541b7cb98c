"""Creating resumable uploads: a row and a secret id, for one that begins or one that is put together from its parts."""

from collections.abc import Sequence
from dataclasses import replace

from appliance.catalogue import UploadCatalogue
from appliance.config.model import Uploads
from appliance.domain import slugs, tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import EmptyUpload, MalformedRequest, PartsUnfinished
from appliance.domain.model import Upload, UploadKind, UploadState
from appliance.resumable.part_reservations import Claims
from appliance.resumable.progress import Wanted, part_ids
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import Turns
from appliance.spool.resumed import UploadFiles
from appliance.uploads.admission import Admission

HOUR_S = 3600
EMPTY_S = 900  # an upload that stays empty was most likely never meant


class Creating:
    """Mints uploads. Each comes with its id, which is known here only this once."""

    def __init__(
        self,
        limits: Uploads,
        *,
        rows: UploadCatalogue,
        files: UploadFiles,
        admission: Admission,
        turns: Turns,
        claims: Claims,
        unfinished: UnfinishedUploads,
        clock: Clock,
    ) -> None:
        self.rests_s = int(limits.unfinished_hours * HOUR_S)
        self._rows = rows
        self._files = files
        self._admission = admission
        self._turns = turns
        self._claims = claims
        self._unfinished = unfinished
        self._clock = clock

    async def begin(self, wanted: Wanted) -> tuple[str, Upload]:
        """One that takes bytes. Raises EmptyUpload, and as `Admission.check` does."""
        upload_id = tokens.generate_token()
        return upload_id, await self._added(upload_id, wanted)

    async def put_together(self, wanted: Wanted) -> tuple[str, Upload]:
        """One made of parts. Its id follows from theirs, so that a client whose reply was lost gets the same again.

        Raises as `begin` does, MalformedRequest, PartsUnfinished, UploadLocked.
        """
        upload_id = tokens.combine_secrets(part_ids(wanted.concat))
        async with self._turns.of(tokens.hash_secret(upload_id)).taking():
            upload = await self._rows.get(tokens.hash_secret(upload_id))
            if upload is not None and upload.state is UploadState.GONE:  # the parts may be there still
                upload, upload_id = None, tokens.generate_token()
            if upload is None:
                upload = await self._claimed(upload_id, wanted)
        return upload_id, upload

    async def _claimed(self, upload_id: str, wanted: Wanted) -> Upload:
        final, parts = tokens.hash_secret(upload_id), [tokens.hash_secret(part) for part in part_ids(wanted.concat)]
        if len(set(parts)) < len(parts):
            raise MalformedRequest("Upload-Concat names a part twice. Name each part once.")
        self._claims.take(parts, final)
        try:
            return await self._added(upload_id, replace(wanted, length=await self._length_of(parts)))
        except BaseException:
            self._claims.release(final)
            raise

    async def _length_of(self, parts: Sequence[str]) -> int:
        total = 0
        for id_hash in parts:
            part = await self._rows.get(id_hash)
            if part is None or part.kind is not UploadKind.PARTIAL or part.state is not UploadState.RECEIVING:
                raise PartsUnfinished("One of the parts is not a partial upload on this host, or no longer exists.")
            if part.length is None or part.length != self._files.offset(part.id_hash):
                raise PartsUnfinished("One of the parts is incomplete. Finish it first.")
            total += part.length
        return total

    async def _added(self, upload_id: str, wanted: Wanted) -> Upload:
        if wanted.length == 0:
            raise EmptyUpload
        await self._admission.check(wanted.offer())
        upload = self._minted(upload_id, wanted)
        self._unfinished.begin(upload.id_hash, wanted.client)
        try:
            if upload.kind is UploadKind.FINAL:
                await self._files.create(upload.id_hash)  # so that a restart finds it
            await self._rows.add(upload)
        except BaseException:
            self._unfinished.end(upload.id_hash)
            raise
        return upload

    def _minted(self, upload_id: str, wanted: Wanted) -> Upload:
        now_s = int(self._clock())
        slug = None if wanted.kind is UploadKind.PARTIAL else slugs.mint(now_s)
        lasts_s = self.rests_s if wanted.with_bytes or wanted.kind is UploadKind.FINAL else min(EMPTY_S, self.rests_s)
        return Upload(
            id_hash=tokens.hash_secret(upload_id),
            kind=wanted.kind,
            slug=slug,
            token_hash=slug and tokens.hash_secret(tokens.derive_token(upload_id, slug)),
            length=wanted.length,
            filename=wanted.options.filename,
            title=wanted.options.title,
            alt=wanted.options.alt,
            expires_in_s=wanted.options.expires_in_s,
            metadata=wanted.metadata,
            concat=wanted.concat,
            created_s=now_s,
            expires_s=now_s + lasts_s,
            keep_metadata=wanted.options.keep_metadata,
        )
