"""Reading upload bodies: multipart forms with their fields in any order, and raw bodies."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import BodyPartReader, ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from appliance.config import Uploads
from appliance.errors import (
    ApplianceError,
    IncompleteUpload,
    InvalidExpiry,
    InvalidField,
    MalformedRequest,
    MissingFile,
    RemoteUrlRefused,
    SlowUpload,
)
from appliance.http import tus_headers as tus
from appliance.http.heads import refuse_encoded
from appliance.http.multipart import FormReader
from appliance.http.patience import Patience
from appliance.ingest import Ingest
from appliance.model import Wishes
from appliance.spool import Incoming, too_large
from appliance.wishes import parse_duration, parse_keep_metadata

MAX_FIELD_BYTES = 16_384  # an alt text of 2,000 characters in any script, and some
MAX_PARTS = 32
CHUNK_BYTES = 256 * 1024
PASSED_BY_BYTES = 64 * 1024 * 1024  # of a refused file, so that the others behind it can be taken
FIELDS = frozenset({"expires_in", "expires_at", "title", "alt", "filename", "keep_metadata"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """An upload on disk and what its sender wished for."""

    incoming: Incoming
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of a form of several that was not taken, and why; the others were."""

    filename: str
    fault: ApplianceError


@dataclass(frozen=True, slots=True)
class _File:
    """A file on disk, and what its sender calls it."""

    name: str
    incoming: Incoming


class BodyReader:
    """Reads one request's upload into the spool. `file_field` names the part that holds the file.

    The place that it takes is of `holder`'s share. Of forms `most_files` are taken; `left_out` counts those beyond. A
    fault of one of several spares the others.
    """

    def __init__(
        self,
        request: web.Request,
        ingest: Ingest,
        limits: Uploads,
        file_field: str = "file",
        filename: str | None = None,
        *,
        holder: str,
        most_files: int = 1,
    ) -> None:
        self._holder = holder
        self._patience = Patience(limits.idle_timeout_s)
        self.left_out = 0
        self._request = request
        self._ingest = ingest
        self._limits = limits
        self._file_field = file_field
        self._fields: dict[str, str] = {}
        self._filename = filename
        self._most_files = most_files
        self._files: list[_File | Refused] = []

    @property
    def typed(self) -> dict[str, str]:
        """The text fields that came, for showing a form again."""
        return {name: text for name, text in self._fields.items() if name not in ("filename", "expires_at")}

    async def read(self) -> Received:
        """The whole body with its one file. Raises as `read_all` does, and what `Ingest.receive` raises."""
        (only,) = await self.read_all()
        if isinstance(only, Refused):
            raise only.fault
        return only

    async def read_all(self) -> list[Received | Refused]:
        """The whole body with all of its files, one at least. On any error what was received is removed.

        Raises EncodedBody, MalformedRequest, MissingFile, IncompleteUpload, SlowUpload, and as `Ingest.check` does.
        """
        await self.check()
        try:
            async with self._ingest.place(self._holder) as place:
                self._place = place
                await self._read()
            if not self._files:
                raise MissingFile(f"The form has no file field named “{self._file_field}”.")
            return [
                Received(file.incoming, self._wishes(file.name)) if isinstance(file, _File) else file
                for file in self._files
            ]
        except BaseException as fault:
            for file in self._files:
                if isinstance(file, _File):
                    await self._ingest.discard(file.incoming)
            if (told := as_named(fault, self._limits)) is None:
                raise
            raise told from fault

    async def check(self) -> None:
        """What the headers tell already, before a byte is asked for. Raises EncodedBody, and as `Ingest.check` does."""
        refuse_encoded(self._request)
        announced = max(self._request.content_length or 0, tus.number(self._request, "Upload-Length") or 0)
        overhead = MAX_PARTS * MAX_FIELD_BYTES if self._is_form else 0
        least = announced - min(overhead, announced)
        if self._most_files > 1 and least <= self._most_files * self._limits.max_bytes:  # each may be small enough
            least = min(least, self._limits.max_bytes)
        await self._ingest.check(least, self._wishes(), self._holder)

    @property
    def _is_form(self) -> bool:
        return self._request.content_type.startswith("multipart/")

    async def _read(self) -> None:
        if self._is_form:
            await self._read_form()
        else:
            await self._read_raw()

    def _wishes(self, filename: str | None = None) -> Wishes:
        fields = {name: self._request.query.get(name) for name in FIELDS} | self._fields
        expires_in = fields.get("expires_in")
        if fields.get("expires_at"):
            raise InvalidExpiry(
                "Uploads accept expires_in (3600, 12h, 30d). Use expires_at to change the expiry later."
            )
        return Wishes(
            filename=(len(self._files) <= 1 and fields.get("filename")) or filename or self._filename or "image",
            title=fields.get("title"),
            alt=fields.get("alt"),
            expires_in_s=parse_duration(expires_in) if expires_in else None,
            idempotency_key=self._request.headers.get("Idempotency-Key"),
            keep_metadata=parse_keep_metadata(fields.get("keep_metadata")),
        )

    def _arriving(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        return self._place.counted(self._patience.stream(chunks))

    async def _read_raw(self) -> None:
        if self._request.content_length == 0 or not self._request.body_exists:
            raise MissingFile("The request has no body. Send the file as the body, or as the form field “file”.")
        stream = self._arriving(self._request.content.iter_any())
        self._files.append(_File("", await self._ingest.receive(stream, self._request.content_length, self._holder)))

    async def _read_form(self) -> None:
        reader = FormReader(self._request)
        most_parts = MAX_PARTS + self._most_files - 1
        for _ in range(most_parts):
            part = await self._patience.wait(reader.next())
            if part is None:
                return
            await self._read_part(part)
        raise MalformedRequest(f"The form has more than {most_parts} parts.", limit=most_parts)

    async def _read_part(self, part: BodyPartReader) -> None:
        if part.name != self._file_field:
            text = await self._text(part)
            if part.name in FIELDS:
                self._fields[part.name] = text
            return
        if part.filename is None:
            refuse_text_as_file(self._file_field, await self._text(part))
        name = part.filename.replace("%22", '"')  # how the HTML standard has forms write a quote
        stream = self._arriving(_chunks(part))
        if len(self._files) < self._most_files:
            self._ingest.check_wishes(self._wishes(name))
            await self._receive(name, stream)
        elif self._most_files == 1:
            raise MalformedRequest("The form has two files. Send one file per request.")
        else:
            self.left_out += 1
            if not await _passed_by(stream):
                raise too_large(self._limits.max_bytes, self._limits.max_bytes)

    async def _receive(self, name: str, stream: AsyncIterator[bytes]) -> None:
        """One file of a form."""
        announced = self._request.content_length  # the form's own bytes are few, so this is the file's for the room
        if announced is not None:
            here = sum(file.incoming.bytes for file in self._files if isinstance(file, _File))
            announced = min(announced - here, self._limits.max_bytes)
        try:
            self._files.append(_File(name, await self._ingest.receive(stream, announced, self._holder)))
        except ApplianceError as fault:
            if self._most_files == 1:
                raise
            if not await _passed_by(stream):
                raise
            self._files.append(Refused(name, fault))

    async def _text(self, part: BodyPartReader) -> str:
        taken = bytearray()
        async for chunk in self._arriving(_chunks(part)):
            taken += chunk
            if len(taken) > MAX_FIELD_BYTES:
                raise InvalidField(
                    f"The field “{(part.name or '')[:40]}” has more than {MAX_FIELD_BYTES:,} bytes.",
                    limit=MAX_FIELD_BYTES,
                    actual=len(taken),
                )
        try:
            return taken.decode()
        except UnicodeDecodeError as fault:
            raise MalformedRequest("A form field is not UTF-8 text.") from fault


def refuse_text_as_file(field: str, text: str) -> NoReturn:
    """Raises RemoteUrlRefused for a URL, MissingFile for any other text where a file should be."""
    if text.lstrip().lower().startswith(("http://", "https://", "ftp://")):
        raise RemoteUrlRefused("Images can't be uploaded by URL. Download the image and upload the file.")
    raise MissingFile(f"The field “{field}” contains text. Send a file with a filename.")


async def _passed_by(stream: AsyncIterator[bytes]) -> bool:
    """Whether the rest, which is not wanted, was read to its end, so that what follows can be; not without a bound."""
    most_bytes = PASSED_BY_BYTES
    async for chunk in stream:
        most_bytes -= len(chunk)
        if most_bytes < 0:
            return False
    return True


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk


def as_named(fault: BaseException, limits: Uploads) -> ApplianceError | None:
    """The named error that stands for a client that was slow, broke off, or sent no real form."""
    if isinstance(fault, TimeoutError):
        limit_s = round(limits.idle_timeout_s)
        return SlowUpload(
            f"Almost no data arrived for {limit_s} seconds. Check your connection and try again.", limit=limit_s
        )
    if isinstance(fault, (web.RequestPayloadError, ConnectionError, ClientError, asyncio.IncompleteReadError)):
        return IncompleteUpload("The connection was lost before the upload was complete. Try again.")
    if isinstance(fault, (ValueError, AssertionError, HttpProcessingError, web.HTTPException)):
        log.info("unreadable form: %s", fault)
        return MalformedRequest("The form can't be read because its parts are malformed.")
    return None
