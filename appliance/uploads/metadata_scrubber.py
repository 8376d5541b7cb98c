"""Scrubbing: private data is removed from a received file, in place, before the upload is answered.

After a crash, a plain upload is sent again. The file of a resumable one stays, so its edits are committed first: after
a crash they are applied again, however far they had got.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.catalogue import UploadCatalogue
from appliance.domain import file_edits
from appliance.domain.clients import Client
from appliance.domain.file_edits import Edit, Findings
from appliance.domain.model import ContentCredentials, KeepMetadata, PrivateData
from appliance.domain.renditions import Facts, Priority
from appliance.domain.resumable_uploads import Upload
from appliance.shared import files
from appliance.spool import Incoming, Spool
from appliance.workers import Workers

ROUNDS = 4
"""The last one must find nothing, so that what is reported as removed was looked for again."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A file without its private data, and what was removed."""

    incoming: Incoming
    private_data: PrivateData
    content_credentials: ContentCredentials


class Scrubber:
    """Has a worker find what to overwrite, and overwrites it. The file's digest follows.

    The worker comes in the turn of the client and of its priority, which may change between two orders.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        workers: Workers,
        catalogue: UploadCatalogue,
        priority_of: Callable[[Client], Priority],
    ) -> None:
        self._priority_of = priority_of
        self._spool = spool
        self._workers = workers
        self._catalogue = catalogue

    async def resume(self, incoming: Incoming, upload: Upload | None) -> Incoming:
        """Apply recorded edits again, which a crash may have left half done. Raises DiskFull."""
        done = _recorded(upload)
        return await self._spool.overwrite(incoming, done) if done else incoming

    async def examine(self, incoming: Incoming, keep: KeepMetadata, client: Client) -> tuple[Facts, Findings | None]:
        """What the file is, and what `scrub` begins with. Raises as `Workers.inspect`."""
        priority = self._priority_of(client)
        with files.reading(incoming.path) as file:
            if keep is KeepMetadata.ALL:
                return await self._workers.inspect(file, client.id, priority), None
            return await self._workers.examine(file, keep, client.id, priority)

    async def scrub(
        self,
        incoming: Incoming,
        upload: Upload | None,
        keep: KeepMetadata,
        client: Client,
        found: Findings | None = None,
    ) -> Scrubbed:
        """Remove all metadata but what `keep` allows, after `resume`. `found` is what `examine` found in the file.

        Raises DiskFull, Busy, Stopping and the catalogue's faults.
        """
        if keep is KeepMetadata.ALL:
            return Scrubbed(incoming, PrivateData.KEPT, ContentCredentials.KEPT)
        done, credentials = _recorded(upload), False
        file_bytes = incoming.bytes if upload is None else upload.length or 0
        for _ in range(ROUNDS):
            findings, found = found or await self._find(incoming, keep, client), None
            credentials |= findings.content_credentials
            edits = _new(findings, incoming.bytes, file_bytes)
            if not edits:
                break
            done += edits
            if upload is not None:
                await self._catalogue.set_edits(upload.id_hash, file_edits.pack(done), credentials=credentials)
            incoming = await self._spool.overwrite(incoming, edits)
        if edits or not findings.complete:
            return Scrubbed(incoming, PrivateData.NOT_REMOVABLE, ContentCredentials.KEPT)
        credentials |= upload is not None and upload.had_credentials
        return Scrubbed(
            incoming,
            PrivateData.REMOVED if done else PrivateData.NONE,
            ContentCredentials.REMOVED if credentials else ContentCredentials.NONE,
        )

    async def _find(self, incoming: Incoming, keep: KeepMetadata, client: Client) -> Findings:
        with files.reading(incoming.path) as file:
            return await self._workers.find_private(file, keep, client.id, self._priority_of(client))


def _recorded(upload: Upload | None) -> tuple[Edit, ...]:
    if upload is None or not upload.edits:
        return ()
    return file_edits.unpack(upload.edits, upload.length or 0, max_bytes=ROUNDS * file_edits.MAX_PACKED_BYTES)


def _new(findings: Findings, left_bytes: int, file_bytes: int) -> tuple[Edit, ...]:
    """The edits of the first `left_bytes` of the file. The rest was cut off before."""
    end = min(findings.cut_at or left_bytes, left_bytes)
    found = tuple(edit for edit in findings.edits if edit.offset < end)
    return (*found, Edit(end, file_bytes - end, b"")) if end < left_bytes else found
