"""Resumable uploads as values: what a client asks for, what it sends, and how far an upload is."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from appliance.domain import errors
from appliance.domain.clients import Client
from appliance.domain.errors import ApplianceError, MalformedRequest
from appliance.domain.model import Image, UploadOptions
from appliance.domain.resumable_uploads import Refusal, Upload, UploadKind, UploadState
from appliance.spool import Checksum
from appliance.uploads.admission import AdmissionRequest, UploadStage

PARTS = re.compile(r"final;(\S+(?: \S+)*)")
PART_PATH = re.compile(r"(?:.*/)?uploads/([0-9A-Za-z_-]{1,64})")
FAULTS: dict[str, type[ApplianceError]] = {kind.code: kind for kind in ApplianceError.kinds() if "code" in vars(kind)}
"""Of errors that share a code, the one that the others are kinds of."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What a client asks to create. `length` is in bytes; None when it is deferred or results from the parts.

    `metadata` and `concat` are headers, unchanged. `with_bytes`: the first bytes come in the same request. `is_open`:
    its client declares when all bytes are sent, and until then the upload is incomplete whatever its length.
    """

    client: Client
    kind: UploadKind
    length: int | None
    options: UploadOptions
    metadata: str = ""
    concat: str = ""
    with_bytes: bool = False
    is_open: bool = False

    def admission_request(self) -> AdmissionRequest:
        """What admission decides about: the whole upload."""
        stage = UploadStage.ASSEMBLING if self.kind is UploadKind.FINAL else UploadStage.OPENING
        return AdmissionRequest(self.client, stage, self.length or 0, self.options.expires_in_s)


@dataclass(frozen=True, slots=True)
class UploadChunk:
    """Bytes that a request brings. `announced_bytes` is None when the client didn't say how many.

    `length` is that of the whole upload when it was deferred until now. `is_last` says whether an open upload ends with
    these bytes; None where the length alone decides.
    """

    client: Client
    stream: AsyncIterator[bytes] = field(repr=False)
    announced_bytes: int | None
    checksums: tuple[Checksum, ...] = ()
    length: int | None = None
    is_last: bool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is: `offset` bytes are here. `image` is what it became, as long as that is visible."""

    upload: Upload
    offset: int
    image: Image | None = None

    @property
    def complete(self) -> bool:
        """Whether all bytes are here."""
        return not self.upload.is_open and self.upload.length == self.offset

    @property
    def state(self) -> str:
        """As in the API's contract: receiving, processing, done or refused."""
        if self.upload.state is UploadState.RECEIVING and self.complete:
            return "done" if self.upload.kind is UploadKind.PARTIAL else "processing"
        return self.upload.state.value


def part_ids(concat: str) -> list[str]:
    """The ids of the parts that an Upload-Concat header lists, in order. Raises MalformedRequest."""
    listed = PARTS.fullmatch(concat)
    found = [PART_PATH.fullmatch(_path(url)) for url in listed[1].split(" ")] if listed else []
    ids = [match[1] for match in found if match]
    if not ids or len(ids) != len(found):
        raise MalformedRequest(
            "Upload-Concat must be “partial”, or “final;” followed by links of partial uploads on this host."
        )
    return ids


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def refusal_of(fault: ApplianceError) -> Refusal:
    """The error as it is recorded in an upload's row."""
    return Refusal(fault.code, fault.detail, fault.limit, fault.actual)


def fault_of(refusal: Refusal) -> ApplianceError:
    """The error that a recorded refusal was made from."""
    kind = FAULTS.get(refusal.code, errors.InternalError)
    return kind(refusal.detail, limit=refusal.limit, actual=refusal.actual)
