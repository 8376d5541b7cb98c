"""Upload bodies, parsed as they arrive: raw bodies, and multipart forms with their fields in any order."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import NoReturn

from aiohttp import BodyPartReader, web

from appliance.config.model import Uploads
from appliance.domain.clients import Client
from appliance.domain.errors import (
    ApplianceError,
    InvalidField,
    MalformedRequest,
    MissingFile,
    RemoteUrlRefused,
)
from appliance.domain.model import UploadOptions
from appliance.domain.upload_options import (
    OPTION_NAMES,
    check_idempotency_key,
    clean_filename,
    with_option,
)
from appliance.http.transport.body_faults import translate_faults
from appliance.http.transport.multipart import FormReader
from appliance.http.transport.request_heads import refuse_encoded
from appliance.http.transport.timeouts import Timeouts
from appliance.shared.concurrency_limit import Permit
from appliance.spool import too_large
from appliance.uploads.admission import AdmissionRequest, UploadStage
from appliance.uploads.ingest import MAX_SKIPPED_BYTES, ArrivingFile

MAX_FIELD_BYTES = 16_384  # enough for an alt text of 2,000 characters in any script
MAX_PARTS = 32
CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class FormLimits:
    """How much one form may bring."""

    max_files: int = 100
    """As many as a person selects in a gallery at once."""
    max_skipped_bytes: int = MAX_SKIPPED_BYTES
    """Of each refused file."""


class _Body:
    """What all bodies have in common: options in the request's head, timeouts, and errors that end the body.

    `filename` is used if the body doesn't name its file.
    """

    def __init__(self, request: web.Request, limits: Uploads, filename: str = "") -> None:
        self._request = request
        self._limits = limits
        self._filename = filename
        self._timeouts = Timeouts(limits.idle_timeout_s)
        self._options = UploadOptions()
        self._arrived_bytes = 0
        self._fault: Exception | None = None
        self.skipped = 0
        """How many files exceeded the limit of one form."""

    @property
    def takes_several(self) -> bool:
        return False

    @property
    def form_values(self) -> dict[str, str]:
        """The text fields that have arrived, for showing the form again."""
        return {}

    def admission_request(self, client: Client) -> AdmissionRequest:
        refuse_encoded(self._request)
        for name in OPTION_NAMES:
            if (text := self._request.query.get(name)) is not None:
                self._options = with_option(self._options, name, text, self._limits.max_expiry_days)
        if (key := self._request.headers.get("Idempotency-Key")) is not None:
            check_idempotency_key(key)
            self._options = replace(self._options, idempotency_key=key)
        return AdmissionRequest(client, UploadStage.WHOLE, self._announced_bytes())

    def options(self, file: ArrivingFile) -> UploadOptions:
        return replace(self._options, filename=self._options.filename or clean_filename(file.name or self._filename))

    def _announced_bytes(self) -> int:
        return self._request.content_length or 0

    async def _received(self, chunks: AsyncIterator[bytes], permit: Permit) -> AsyncIterator[bytes]:
        """The chunks, counted, with timeouts. An error is remembered, because nothing can be read after it."""
        try:
            with translate_faults(self._limits):
                async for chunk in permit.counted(self._timeouts.stream(chunks)):
                    self._arrived_bytes += len(chunk)
                    yield chunk
        except Exception as fault:
            self._fault = fault
            raise


class RawBody(_Body):
    """A body that is the file."""

    async def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        if self._request.content_length == 0 or not self._request.body_exists:
            raise MissingFile("The request has no body. Send the file as the body, or as the form field “file”.")
        stream = self._received(self._request.content.iter_any(), permit)
        yield ArrivingFile("", stream, self._request.content_length)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a form, with the names in its headers. A part that isn't a file has no file name."""

    name: str | None
    filename: str | None
    reader: BodyPartReader


class FormBody(_Body):
    """A form whose files are parts named `file_field`. Up to `max_files` are accepted; others are skipped."""

    def __init__(
        self,
        request: web.Request,
        limits: Uploads,
        filename: str = "",
        *,
        file_field: str = "file",
        max_files: int = 1,
        max_skipped_bytes: int = MAX_SKIPPED_BYTES,
    ) -> None:
        super().__init__(request, limits, filename)
        self._file_field = file_field
        self._max_files = max_files
        self._max_skipped_bytes = max_skipped_bytes
        self._count = 0
        self._fields: dict[str, str] = {}
        self._refusal: ApplianceError | None = None

    @property
    def takes_several(self) -> bool:
        return self._max_files > 1

    @property
    def form_values(self) -> dict[str, str]:
        return {name: text for name, text in self._fields.items() if name not in ("filename", "expires_at")}

    def _announced_bytes(self) -> int:
        announced = max(0, super()._announced_bytes() - MAX_PARTS * MAX_FIELD_BYTES)  # the fields don't count
        max_bytes = self._limits.max_bytes
        if self.takes_several and announced <= self._max_files * max_bytes:  # each file may be small enough
            return min(announced, max_bytes)
        return announced

    async def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        reader = FormReader(self._request)
        max_parts = MAX_PARTS + self._max_files - 1
        for _ in range(max_parts):
            if (part := await self._next_part(reader)) is None:
                break
            if part.name != self._file_field:
                await self._read_field(part, permit)
            elif (file := await self._file(part, permit)) is not None:
                self._require_options()
                yield file
                self._require_sound_body()
        else:
            raise MalformedRequest(f"The form has more than {max_parts} parts.", limit=max_parts)
        if not self._count:
            raise MissingFile(f"The form has no file field named “{self._file_field}”.")
        self._require_options()

    def options(self, file: ArrivingFile) -> UploadOptions:
        options = super().options(file)
        return options if self._count == 1 else replace(options, filename=clean_filename(file.name))

    async def _next_part(self, reader: FormReader) -> _Part | None:
        with translate_faults(self._limits):
            part = await self._timeouts.wait(reader.next())
            return None if part is None else _Part(part.name, part.filename, part)

    async def _file(self, part: _Part, permit: Permit) -> ArrivingFile | None:
        """The file in a part; None if it exceeds the limit, in which case it is skipped."""
        if part.filename is None:
            refuse_text_as_file(self._file_field, await self._text(part, permit))
        name = part.filename.replace("%22", '"')  # the HTML standard encodes quotes in file names this way
        stream = self._received(_chunks(part.reader), permit)
        file = ArrivingFile(name, stream, self._left_bytes(), self._max_skipped_bytes)
        if self._count < self._max_files:
            self._count += 1
            return file
        if self._max_files == 1:
            raise MalformedRequest("The form has two files. Send one file per request.")
        self.skipped += 1
        if not await file.skip():
            raise too_large(self._limits.max_bytes, self._limits.max_bytes)
        return None

    def _left_bytes(self) -> int | None:
        """The announced bytes of a file: what is left of the form, because its other parts are small."""
        if self._request.content_length is None:
            return None
        return min(self._request.content_length - self._arrived_bytes, self._limits.max_bytes)

    async def _read_field(self, part: _Part, permit: Permit) -> None:
        text, name = await self._text(part, permit), part.name
        if name is None or name not in OPTION_NAMES:
            return
        self._fields[name] = text
        try:
            self._options = with_option(self._options, name, text, self._limits.max_expiry_days)
        except ApplianceError as fault:  # raised later, when all fields have been read
            self._refusal = self._refusal or fault

    async def _text(self, part: _Part, permit: Permit) -> str:
        content = bytearray()
        async for chunk in self._received(_chunks(part.reader), permit):
            content += chunk
            if len(content) > MAX_FIELD_BYTES:
                raise InvalidField(
                    f"The field “{(part.name or '')[:40]}” has more than {MAX_FIELD_BYTES:,} bytes.",
                    limit=MAX_FIELD_BYTES,
                    actual=len(content),
                )
        try:
            return content.decode()
        except UnicodeDecodeError as fault:
            raise MalformedRequest("A form field is not UTF-8 text.") from fault

    def _require_options(self) -> None:
        """Raises the first error in the options."""
        if self._refusal is not None:
            raise self._refusal

    def _require_sound_body(self) -> None:
        """Raises the error that ended a file's stream, after which nothing can be read."""
        if self._fault is not None:
            raise self._fault


def refuse_text_as_file(field: str, text: str) -> NoReturn:
    """Raises RemoteUrlRefused for a URL in place of a file, MissingFile for any other text."""
    if text.lstrip().lower().startswith(("http://", "https://", "ftp://")):
        raise RemoteUrlRefused
    raise MissingFile(f"The field “{field}” contains text. Send a file with a filename.")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk
