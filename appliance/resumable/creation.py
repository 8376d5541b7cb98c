"""Creating resumable uploads: a row and a secret id, for one that receives bytes or is assembled from parts."""

from collections.abc import Sequence
from dataclasses import replace

from appliance.catalogue import UploadCatalogue
from appliance.domain import slugs, tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import EmptyUpload, InvalidField, MalformedRequest, PartsUnfinished
from appliance.domain.model import UploadOptions
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.locks import Locksmith
from appliance.resumable.part_reservations import PartReservations
from appliance.resumable.progress import NewUpload, part_ids
from appliance.resumable.takeover import Takeover
from appliance.resumable.unfinished import UnfinishedUploads
from appliance.resumable.upload_lock import UploadLocks
from appliance.spool.resumed import UploadFiles
from appliance.uploads.admission import Admission

EMPTY_S = 900  # an upload that stays empty was most likely abandoned
NO_PART = "One of the parts is not a partial upload on this host, or no longer exists."


class UploadCreator:
    """Creates uploads, each with a secret id that is stored nowhere.

    `idle_s` is how long an upload lives without new bytes.
    """

    def __init__(
        self,
        *,
        idle_s: int,
        rows: UploadCatalogue,
        files: UploadFiles,
        admission: Admission,
        locks: UploadLocks,
        reservations: PartReservations,
        unfinished: UnfinishedUploads,
        locksmith: Locksmith,
        this_node: ThisNode,
        takeover: Takeover | None,
        clock: Clock,
    ) -> None:
        self._idle_s = idle_s
        self._rows = rows
        self._files = files
        self._admission = admission
        self._locks = locks
        self._reservations = reservations
        self._unfinished = unfinished
        self._locksmith = locksmith
        self._this_node = this_node
        self._takeover = takeover
        self._clock = clock

    async def create(self, new: NewUpload) -> tuple[str, Upload]:
        """Create an upload that receives bytes; returns its id and row.

        Raises EmptyUpload, InvalidField for the passphrase, and as `Admission.check` does.
        """
        upload_id = tokens.generate_token()
        return upload_id, await self._added(upload_id, new)

    async def assemble(self, new: NewUpload) -> tuple[str, Upload]:
        """Create an upload that is assembled from parts; returns its id and row.

        The id is derived from theirs, so that a client whose reply was lost gets the same one again. Raises as
        `create` does, MalformedRequest, PartsUnfinished, UploadLocked, BytesElsewhere, UploadMoving.
        """
        upload_id = tokens.combine_secrets(part_ids(new.concat))
        id_hash = tokens.hash_secret(upload_id)
        if self._takeover is not None and (assembled := await self._rows.get(id_hash)) is not None:
            await self._takeover.require_here(assembled)
        async with self._locks.of(id_hash).held():
            upload = await self._rows.get(id_hash)
            if upload is not None and upload.state is UploadState.GONE:  # its parts may still be there
                upload, upload_id = None, tokens.generate_token()
            if upload is not None and upload.state is UploadState.RECEIVING:
                self._this_node.require(upload.node)
            if upload is None:
                upload = await self._assembled(upload_id, new)
        return upload_id, upload

    async def _assembled(self, upload_id: str, new: NewUpload) -> Upload:
        final, parts = tokens.hash_secret(upload_id), [tokens.hash_secret(part) for part in part_ids(new.concat)]
        if len(set(parts)) < len(parts):
            raise MalformedRequest("Upload-Concat names a part twice. Name each part once.")
        self._reservations.reserve(parts, final)
        try:
            rows = await self._whole(parts, new.options)
            await self._keep(rows)
            return await self._added(upload_id, replace(new, length=sum(part.length or 0 for part in rows)))
        except BaseException:
            self._reservations.release(final)
            raise

    async def _whole(self, parts: Sequence[str], options: UploadOptions) -> Sequence[Upload]:
        """The parts, which are whole and here then: the node with the first one gets the others.

        Raises BytesElsewhere, InvalidField as `_require_as_closed` does, and as `Takeover.bring` does.
        """
        rows = [await self._part(id_hash) for id_hash in parts]
        if self._takeover is not None:
            await self._takeover.require_here(rows[0])
            await self._takeover.bring_all(rows[1:])
        for part in rows:
            if part.length is None or part.length != self._files.offset(part.id_hash):
                raise PartsUnfinished("One of the parts is incomplete. Finish it first.")
            _require_as_closed(options, part)
        return rows

    async def _keep(self, parts: Sequence[Upload]) -> None:
        """Have no part expire before what is assembled from them does. Raises PartsUnfinished if one just has."""
        until_s = int(self._clock()) + self._idle_s
        for part in parts:
            if part.expires_s < until_s and not await self._rows.keep_until(part.id_hash, until_s):
                raise PartsUnfinished(NO_PART)

    async def _part(self, id_hash: str) -> Upload:
        part = await self._rows.get(id_hash)
        if part is None or part.kind is not UploadKind.PARTIAL or part.state is not UploadState.RECEIVING:
            raise PartsUnfinished(NO_PART)
        return part

    async def _added(self, upload_id: str, new: NewUpload) -> Upload:
        if new.length == 0:
            raise EmptyUpload
        await self._admission.check(new.admission_request())
        client = self._admission.begin_upload(new.client)
        upload = self._minted(upload_id, new, await self._lock(new))
        self._unfinished.begin(upload.id_hash, client)
        try:
            if upload.kind is UploadKind.FINAL:
                await self._files.create(upload.id_hash)  # so that a restart finds it
            await self._rows.add(upload)
        except BaseException:
            self._unfinished.end(upload.id_hash)
            raise
        return upload

    async def _lock(self, new: NewUpload) -> str | None:
        if new.options.passphrase is None:
            return None
        if new.kind is UploadKind.PARTIAL:  # nothing to open, but `_require_as_closed` has to know
            return UNREADABLE_LOCK
        return await self._locksmith.lock(new.options.passphrase, new.client)

    def _minted(self, upload_id: str, new: NewUpload, lock: str | None) -> Upload:
        now_s = int(self._clock())
        slug = None if new.kind is UploadKind.PARTIAL else slugs.mint(now_s)
        lasts_s = self._idle_s if new.with_bytes or new.kind is UploadKind.FINAL else min(EMPTY_S, self._idle_s)
        id_hash = tokens.hash_secret(upload_id)
        return Upload(
            id_hash=id_hash,
            kind=new.kind,
            slug=slug,
            token_hash=slug and tokens.hash_secret(tokens.derive_token(upload_id, slug)),
            length=new.length,
            filename=new.options.filename,
            title=new.options.title,
            alt=new.options.alt,
            expires_in_s=new.options.expires_in_s,
            metadata=new.metadata,
            concat=new.concat,
            created_s=now_s,
            expires_s=now_s + lasts_s,
            keep_metadata=new.options.keep_metadata,
            is_open=new.is_open,
            access_key=None if new.client.charged_key is None else new.client.charged_key.id,
            lock=lock,
            one_view=new.options.one_view,
            invite=None if new.client.invite is None else new.client.invite.id,
            node=self._this_node.name,
            sealed_address=self._unfinished.sealed_address(id_hash, new.client),
        )


def _require_as_closed(options: UploadOptions, part: Upload) -> None:
    """Raises InvalidField where the final upload would be open, though its uploader closed this part."""
    if part.lock is not None and options.passphrase is None:
        raise InvalidField("A part has a passphrase. Send it with the final upload too.")
    if part.one_view and not options.one_view:
        raise InvalidField("A part is for one view. Send one_view with the final upload too.")
