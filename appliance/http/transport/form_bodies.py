"""Multipart forms with files, parsed as they arrive, with their fields in any order."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from aiohttp import BodyPartReader, web

from appliance.config.model import Uploads
from appliance.domain.errors import TOO_MANY_FILES, ApplianceError, MalformedRequest, MissingFile, RemoteUrlRefused
from appliance.domain.model import UploadOptions
from appliance.domain.upload_options import check_idempotency_key, clean_filename
from appliance.http.transport.base64_files import REMOTE_SCHEMES, open_base64
from appliance.http.transport.body_faults import translate_faults
from appliance.http.transport.connections import open_body
from appliance.http.transport.multipart import FormReader
from appliance.http.transport.upload_bodies import MAX_FIELD_BYTES, RequestBody, TranslateField, keep_field
from appliance.shared.concurrency_limit import Permit
from appliance.spool import too_large
from appliance.uploads.ingest import MAX_SKIPPED_BYTES, ArrivingFile

MAX_PARTS = 32
CHUNK_BYTES = 256 * 1024
FORM_KEY = "form_key"
"""The field in which the upload page's form sends a key of its own."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a form, with the names in its headers. A part that isn't a file has no file name."""

    name: str | None
    filename: str | None
    reader: BodyPartReader


class FormBody(RequestBody):
    """A form whose files are parts named `file_field`. Up to `max_files` are accepted; others are skipped.

    With `accepts_base64`, a file may also come as text: Base64 or a data URL.
    """

    def __init__(
        self,
        request: web.Request,
        limits: Uploads,
        filename: str = "",
        *,
        file_field: str = "file",
        max_files: int = 1,
        max_skipped_bytes: int = MAX_SKIPPED_BYTES,
        accepts_base64: bool = False,
        translate_field: TranslateField = keep_field,
    ) -> None:
        super().__init__(request, limits, filename, translate_field=translate_field)
        self._file_field = file_field
        self._max_files = max_files
        self._max_skipped_bytes = max_skipped_bytes
        self._accepts_base64 = accepts_base64
        self._count = 0
        self._missing: ApplianceError | None = None  # what to say if no part turns out to be the file

    @property
    def takes_several(self) -> bool:
        return self._max_files > 1

    @property
    def has_fields(self) -> bool:
        return True

    def _announced_bytes(self) -> int:
        announced = max(0, super()._announced_bytes() - MAX_PARTS * MAX_FIELD_BYTES)  # the fields don't count
        if self._accepts_base64:
            announced = announced * 3 // 4
        max_bytes = self._limits.max_bytes
        if self.takes_several and announced <= self._max_files * max_bytes:  # each file may be small enough
            return min(announced, max_bytes)
        return announced

    async def files(self, permit: Permit) -> AsyncGenerator[ArrivingFile, None]:
        open_body(self._request)
        reader = FormReader(self._request, self._digest)
        max_parts = MAX_PARTS + self._max_files - 1
        for _ in range(max_parts):
            if (part := await self._next_part(reader)) is None:
                break
            if part.name != self._file_field:
                await self._read_other_part(part, permit)
            elif (file := await self._file(part, permit)) is not None:
                self._require_options()
                yield file
                self._require_sound_body()
        else:
            raise MalformedRequest(
                f"The form has more than {max_parts} parts.", limit=max_parts, texts=(TOO_MANY_FILES,)
            )
        await self._require_digest(reader)
        if not self._count:
            raise self._missing or MissingFile(f"The form has no file field named “{self._file_field}”.")
        self._require_options()

    async def _require_digest(self, reader: FormReader) -> None:
        """Raises DigestMismatch."""
        if self._digest is not None:
            with translate_faults(self._limits):
                await self._timeouts.wait(reader.skip_epilogue())
            self._digest.require_match()

    def options(self, file: ArrivingFile) -> UploadOptions:
        options = super().options(file)
        return options if self._count == 1 else replace(options, filename=clean_filename(file.name))

    async def _next_part(self, reader: FormReader) -> _Part | None:
        with translate_faults(self._limits):
            part = await self._timeouts.wait(reader.next())
            return None if part is None else _Part(part.name, part.filename, part)

    async def _file(self, part: _Part, permit: Permit) -> ArrivingFile | None:
        """The file in a part; None if the part is a text or exceeds the limit. Then it is skipped."""
        stream = self._received(_chunks(part.reader), permit)
        if part.filename is None:
            if (decoded := await self._text_as_file(stream)) is None:
                return None
            stream = decoded
        name = (part.filename or "").replace("%22", '"')  # the HTML standard encodes quotes in file names this way
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

    async def _text_as_file(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes] | None:
        """The file in a text; None if there is none, as in the texts that FilePond puts before its files.

        Raises RemoteUrlRefused for a URL.
        """
        if self._accepts_base64:
            return await open_base64(chunks)
        if (await self._text(self._file_field, chunks)).lstrip().lower().startswith(REMOTE_SCHEMES):
            raise RemoteUrlRefused
        self._missing = self._missing or MissingFile(
            f"The field “{self._file_field}” contains text. Send a file with a filename."
        )
        return None

    async def _read_other_part(self, part: _Part, permit: Permit) -> None:
        if part.filename and not self._is_text(part.name or ""):
            await self._skip_misnamed_file(part, permit)
            return
        name = part.name or ""
        text = await self._text(name, self._received(_chunks(part.reader), permit))
        if name == FORM_KEY:
            self._note_form_key(text)
        else:
            self._note_field(name, text)

    def _note_form_key(self, key: str) -> None:
        try:
            check_idempotency_key(key)
            self._options = replace(self._options, form_key=key)
        except ApplianceError as fault:
            self._refusal = self._refusal or fault

    async def _skip_misnamed_file(self, part: _Part, permit: Permit) -> None:
        """Skip a small file in another field. Raises MissingFile for a larger one: it must be the one to upload."""
        missing = MissingFile(
            f"The file is in the field “{(part.name or '')[:40]}”. Send it in the field “{self._file_field}”."
        )
        skipped_bytes = 0
        async for chunk in self._received(_chunks(part.reader), permit):
            skipped_bytes += len(chunk)
            if skipped_bytes > MAX_FIELD_BYTES:
                raise missing
        self._missing = missing

    def _require_sound_body(self) -> None:
        """Raises the error that ended a file's stream, after which nothing can be read."""
        if self._fault is not None:
            raise self._fault


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk
