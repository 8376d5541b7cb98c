"""Multipart forms: aiohttp's reader, with limits for the lines outside of the parts' bytes.

A form must begin with its boundary. RFC 2046 allows a preamble, but no client sends one, and skipping it line by line
could block the event loop for seconds. The headers of each part are limited too.
"""

import asyncio
import warnings
from typing import cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, web
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import LineTooLong
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam
from multidict import MultiDict, MultiDictProxy

from appliance.domain.errors import MalformedRequest
from appliance.http.transport.content_digest import ContentDigest
from appliance.http.transport.request_heads import refuse_other_charsets

MAX_HEAD_BYTES = 8192  # boundary and headers of a part; a file name of 255 characters, sent twice, takes up to 3 KB
MAX_HEAD_LINES = 32
MAX_FIELDS = 64  # of a form without a file: each takes 0.3 ms, and pages send larger forms urlencoded
MAX_PARAMETERS = 64  # of a Content-Disposition: aiohttp parses each slowly, with a warning
PLAIN_ENCODINGS = frozenset({"binary", "8bit", "7bit"})  # RFC 7578 deprecates all others
CHUNK_BYTES = 16 * 1024
_BLANK_LINES = (b"\r\n", b"\n")


class FormReader:
    """Reads the parts of a form one after the other. Raises MalformedRequest for a body that isn't one."""

    def __init__(self, request: web.Request, digest: ContentDigest | None = None) -> None:
        try:
            boundary = parse_mimetype(request.headers[hdrs.CONTENT_TYPE]).parameters["boundary"]
            self._lines = _BoundedLines(request.content, f"--{boundary}".encode(), digest)
            self._reader = MultipartReader(request.headers, cast(StreamReader, self._lines))
        except (AssertionError, ValueError, KeyError) as fault:
            raise MalformedRequest("The form's Content-Type has no boundary.") from fault

    async def next(self) -> BodyPartReader | None:
        """The next part, None after the last. Raises MalformedRequest, and what reading the body raises."""
        await asyncio.sleep(0)  # reading buffered data doesn't yield, so other requests would wait
        try:
            part = await self._reader.next()
        except RuntimeError as fault:  # from aiohttp, for a field that names an encoding
            raise MalformedRequest("The form names an unknown encoding. Send UTF-8.") from fault
        if part is None:
            return None
        if not isinstance(part, BodyPartReader):
            raise MalformedRequest("The form contains a nested form. Send plain parts.")
        if part.headers.get("Content-Transfer-Encoding", "binary").strip().lower() not in PLAIN_ENCODINGS:
            raise MalformedRequest("A part has a Content-Transfer-Encoding. Send parts without one.")
        return part

    async def skip_epilogue(self) -> None:
        """Read what is behind the last part, which belongs to the content. Raises MalformedRequest if it is long."""
        skipped_bytes = 0
        while chunk := await self._lines.read(CHUNK_BYTES):
            skipped_bytes += len(chunk)
            if skipped_bytes > MAX_HEAD_BYTES:
                raise MalformedRequest("The form continues after its last boundary.")


class _BoundedLines:
    """The stream that aiohttp's reader reads from, with limits for what is between the bytes of two parts.

    `digest` gets every byte once, although the reader puts back what it read of the next part.
    """

    def __init__(self, content: StreamReader, boundary: bytes, digest: ContentDigest | None) -> None:
        self._content = content
        self._digest = digest
        self._returned_bytes = 0  # put back by the reader, and in the digest already
        self._boundary = boundary
        self._has_started = False
        self._lines = 0
        self._bytes = 0
        self.at_eof = content.at_eof

    async def read(self, max_bytes: int) -> bytes:
        self._lines = self._bytes = 0
        return self._digested(await self._content.read(max_bytes))

    def unread_data(self, data: bytes) -> None:
        """Put back the last bytes that were read."""
        self._returned_bytes += len(data)
        self._content.unread_data(data)

    def _digested(self, data: bytes) -> bytes:
        if self._digest is not None:
            self._digest.update(data[self._returned_bytes :])
        self._returned_bytes = max(0, self._returned_bytes - len(data))
        return data

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """A line. `max_line_length` is ignored: our limits cover all lines of a part together, boundaries included."""
        line = await self._line()
        if not self._has_started:
            line = await self._line() if line in _BLANK_LINES else line
            self._has_started = True
            if line.rstrip() not in (self._boundary, self._boundary + b"--"):
                raise MalformedRequest("The form doesn't begin with the boundary from its Content-Type.")
        return line

    async def _line(self) -> bytes:
        try:
            line = self._digested(await self._content.readline(max_line_length=MAX_HEAD_BYTES))
        except LineTooLong as fault:
            raise _head_too_large() from fault
        self._lines += 1
        self._bytes += len(line)
        if self._lines > MAX_HEAD_LINES or self._bytes > MAX_HEAD_BYTES:
            raise _head_too_large()
        if line.count(b";") > MAX_PARAMETERS:
            raise MalformedRequest("A part has a header with too many parameters.")
        return line


def _head_too_large() -> MalformedRequest:
    return MalformedRequest(
        f"The headers of a part exceed {MAX_HEAD_BYTES:,} bytes or {MAX_HEAD_LINES} lines.",
        limit=MAX_HEAD_BYTES,
    )


def ignore_unreadable_names() -> None:
    """Silence aiohttp's warnings about file names: Python would remember and log each one with the client's text."""
    for kind in (BadContentDispositionHeader, BadContentDispositionParam):
        warnings.filterwarnings("ignore", category=kind)


async def fields_of(request: web.Request) -> MultiDictProxy[str]:
    """The fields of a multipart form; a file is the text in it (`curl -F passphrase=@file`).

    Raises MalformedRequest, HTTPRequestEntityTooLarge, and ValueError for bytes that aren't UTF-8.
    """
    reader, fields = FormReader(request), MultiDict[str]()
    count = 0
    while (part := await reader.next()) is not None:
        count += 1
        if count > MAX_FIELDS:
            raise too_many_fields(MAX_FIELDS, count)
        if part.name is None:
            raise MalformedRequest("A part of the form has no name.")
        text = await _bytes_of(part, request)
        refuse_other_charsets(part.get_charset(default="utf-8"))
        fields.add(part.name, text.decode())
    return MultiDictProxy(fields)


async def _bytes_of(part: BodyPartReader, request: web.Request) -> bytearray:
    content = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        content += chunk
        if request.content.total_bytes > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, request.content.total_bytes)
    return content


def too_many_fields(limit: int, actual: int) -> MalformedRequest:
    return MalformedRequest(
        f"The form has {actual:,} fields, but at most {limit:,} are allowed. Send fewer at a time.",
        limit=limit,
        actual=actual,
    )
