"""Ingest: accepts uploads that come in one request.

admission --> spool --> inspect, scrub, commit (`Committer`) --> prewarm and ship

The last byte of a resumable upload leads to the same `Committer`. docs/architecture.md tells the whole path.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from appliance.domain import slugs, tokens
from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, CatalogueUnavailable
from appliance.domain.key_rules import max_file_bytes
from appliance.domain.model import UploadOptions
from appliance.observability.metrics import Metrics
from appliance.shared.concurrency_limit import Permit
from appliance.spool import Incoming, Spool
from appliance.uploads.admission import Admission, AdmissionRequest
from appliance.uploads.committer import Accepted, Committer
from appliance.uploads.idempotency import IdempotentCommitter, repeat_key

MAX_SKIPPED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """A file in a body that is being read: its name, and its bytes as they come.

    It has at most `announced_bytes`, or with `is_exact` as many; None where the client didn't say. At most
    `max_skipped_bytes` of it are read past, so that the files behind a refused one can be read.
    """

    name: str
    stream: AsyncIterator[bytes] = field(repr=False)
    announced_bytes: int | None
    max_skipped_bytes: int = MAX_SKIPPED_BYTES
    is_exact: bool = False

    def announced_within(self, max_bytes: int) -> int | None:
        """The announced bytes, which only refuse a file as too large where they are its own, not a form's."""
        if self.announced_bytes is None or self.is_exact:
            return self.announced_bytes
        return min(self.announced_bytes, max_bytes)

    async def skip(self) -> bool:
        """Read past the rest, so that the next file can be read. False where that is too much."""
        skipped_bytes = 0
        async for chunk in self.stream:
            skipped_bytes += len(chunk)
            if skipped_bytes > self.max_skipped_bytes:
                return False
        return True


class UploadBody(Protocol):
    """The body of one request, parsed as it is read."""

    @property
    def takes_several(self) -> bool:
        """Whether the body may hold several files, each of which is accepted or refused by itself."""

    def admission_request(self, client: Client) -> AdmissionRequest:
        """What the head of the request announces. Called once, before `files`.

        Raises EncodedBody, PartialUpload, InvalidField, InvalidExpiry, IdempotencyKeyInvalid.
        """

    async def identified(self, client: Client) -> Client:
        """The client as the fields before the first file say, which may bring an access key or an invite.

        Raises KeyInvalid, UnknownInvite, Busy. A key or an invite behind the first file is an InvalidField.
        """

    def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        """Each file in turn, at least one. Read each one before the next. The permit counts their bytes.

        A file's stream raises IncompleteUpload, SlowUpload, DigestMismatch and MalformedRequest. Raises these as well,
        MissingFile, PartialUpload, RemoteUrlRefused, InvalidField, InvalidExpiry, and TooLarge for a file that is
        neither accepted nor skipped.
        """

    def options(self, file: ArrivingFile) -> UploadOptions:
        """The options of a file. Known once all files are read, since fields may come behind them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was refused, and why. Others of the same body may be accepted."""

    filename: str
    fault: ApplianceError


@dataclass(frozen=True, slots=True)
class _Received:
    """A file on disk that is not accepted yet."""

    file: ArrivingFile
    incoming: Incoming
    client: Client


class Ingest:
    """Makes images of the files in a request's body."""

    def __init__(
        self,
        *,
        admission: Admission,
        committer: Committer,
        idempotent: IdempotentCommitter,
        spool: Spool,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._admission = admission
        self._committer = committer
        self._idempotent = idempotent
        self._spool = spool
        self._metrics = metrics
        self._clock = clock

    async def _recognised(self, request: AdmissionRequest) -> AdmissionRequest:
        """The request, as a repeat where its client has made the same upload before. Counts nothing."""
        if (key := request.idempotency_key) is None:
            return request
        return replace(request, is_repeat=await self._idempotent.is_free_repeat(key, request.bytes, request.client))

    async def accept(self, body: UploadBody, client: Client) -> Accepted:
        """Receive, commit and ship a body's only file. On any error nothing of it is left.

        Raises what `Admission.admitted`, the body and `IdempotentCommitter.commit` raise, TooLarge, EmptyUpload and
        DiskFull.
        """
        (outcome,) = await self.accept_each(body, client)
        if isinstance(outcome, Refused):
            raise outcome.fault
        return outcome

    async def accept_each(self, body: UploadBody, client: Client) -> list[Accepted | Refused]:
        """Receive every file of a body, then commit and ship one after another.

        Raises only what concerns the body as a whole. Then none of its files is accepted.
        """
        try:
            files = await self._receive(body, client)
        except ApplianceError as fault:
            self._metrics.uploads.labels(fault.code).inc()
            raise
        outcomes: list[Accepted | Refused] = []
        for number, file in enumerate(files, start=1):
            try:
                outcomes.append(await self._outcome(file, body))
            except BaseException:
                await self._discard(files[number:])
                raise
        return outcomes

    async def _receive(self, body: UploadBody, client: Client) -> list[_Received | Refused]:
        received: list[_Received | Refused] = []
        try:
            request = self._counted(await self._recognised(body.admission_request(client)))
            async with self._admission.admitted(request) as upload, aclosing(body.files(upload.permit)) as files:
                async for file in files:
                    if request.key_may_follow:
                        client = await body.identified(client)
                        request = replace(request, client=client, key_may_follow=False)
                        await self._admission.identify(upload, request)
                    one = await self._receive_file(file, request, may_skip=body.takes_several)
                    received.append(one)
        except BaseException:
            await self._discard(received)
            raise
        return received

    def _counted(self, request: AdmissionRequest) -> AdmissionRequest:
        """The request, with its repeat counted; no longer a repeat where that was one too many."""
        if request.idempotency_key is None or not request.is_repeat:
            return request
        return replace(request, is_repeat=self._idempotent.take_repeat(request.idempotency_key, request.client))

    async def _receive_file(
        self, file: ArrivingFile, request: AdmissionRequest, *, may_skip: bool
    ) -> _Received | Refused:
        now_s, client = self._clock(), request.client
        max_bytes = max_file_bytes(client.charged_key, self._admission.max_bytes)
        try:
            if not request.is_repeat:
                client = self._admission.begin_upload(client)
            incoming = await self._spool.receive(
                slugs.mint(now_s),
                file.stream,
                announced_bytes=file.announced_within(max_bytes),
                max_bytes=max_bytes,
                client=client.id,
                since_s=now_s,
            )
        except ApplianceError as fault:
            if not may_skip or not await file.skip():
                raise
            return Refused(file.name, fault)
        return _Received(file, incoming, client)

    async def _outcome(self, file: _Received | Refused, body: UploadBody) -> Accepted | Refused:
        if isinstance(file, Refused):
            outcome: Accepted | Refused = file
        else:
            options = body.options(file.file)
            try:
                outcome = await self._accept(file.incoming, options, file.client)
            except ApplianceError as fault:
                outcome = Refused(options.filename, fault)
        self._count(outcome)
        return outcome

    async def _accept(self, incoming: Incoming, options: UploadOptions, client: Client) -> Accepted:
        try:
            accepted = await self._commit(incoming, options, client)
        except Exception as fault:
            if not (isinstance(fault, CatalogueUnavailable) and fault.answer):  # the row may yet need the file
                await self._spool.discard(incoming.slug)
            raise
        if accepted.committed is not None:
            await self._committer.secure(accepted.committed, client)
        return accepted

    async def _commit(self, incoming: Incoming, options: UploadOptions, client: Client) -> Accepted:
        if (key := repeat_key(incoming, options)) is not None:
            return await self._idempotent.commit(incoming, options, key, client)
        token = tokens.generate_token()
        committed = await self._committer.commit(incoming, options, tokens.hash_secret(token), client)
        return Accepted(committed.image, token, committed)

    def _count(self, outcome: Accepted | Refused) -> None:
        if isinstance(outcome, Refused):
            self._metrics.uploads.labels(outcome.fault.code).inc()
        else:
            self._metrics.uploads.labels("accepted").inc()
            self._metrics.upload_bytes.inc(outcome.image.bytes)

    async def _discard(self, files: Sequence[_Received | Refused]) -> None:
        for file in files:
            if isinstance(file, _Received):
                await self._spool.discard(file.incoming.slug)
