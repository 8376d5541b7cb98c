"""Urlencoded forms, read as they arrive, so that a field may be as large as a file."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import unquote_plus, unquote_to_bytes

from appliance.domain.errors import MalformedRequest

MAX_NAME_BYTES = 1024
MAX_FIELDS = 64
_END_OF_NAME = re.compile(rb"[=&]")
_CUT_ESCAPE = re.compile(rb"%[0-9A-Fa-f]?\Z")


class UrlencodedReader:
    """Reads the fields of a form from `chunks`, one after the other."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""

    async def fields(self) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]]]:
        """Each name with its decoded bytes. Those that aren't read are skipped. Raises MalformedRequest."""
        for _ in range(MAX_FIELDS):
            if (name := await self._name()) is None:
                return
            value = self._value()
            yield name, value
            async for _rest in value:
                pass
        raise MalformedRequest(f"The form has more than {MAX_FIELDS} fields.", limit=MAX_FIELDS)

    async def _name(self) -> str | None:
        """The next name; None after the last field."""
        while (found := _END_OF_NAME.search(self._buffer)) is None and len(self._buffer) <= MAX_NAME_BYTES:
            if not await self._read_more():
                break
        end = len(self._buffer) if found is None else found.start()
        if end > MAX_NAME_BYTES:
            raise MalformedRequest(
                f"The name of a field has more than {MAX_NAME_BYTES:,} bytes.", limit=MAX_NAME_BYTES, actual=end
            )
        name, self._buffer = self._buffer[:end], self._buffer[end:]
        if not name and not self._buffer:
            return None
        self._buffer = self._buffer.removeprefix(b"=")
        return unquote_plus(name.decode("utf-8", "replace"))

    async def _value(self) -> AsyncGenerator[bytes]:
        cut = b""  # the beginning of an escape whose end is in the next chunk
        while True:
            piece, ended, self._buffer = self._buffer.partition(b"&")
            piece, cut = cut + piece, b""
            if not ended and (found := _CUT_ESCAPE.search(piece, max(0, len(piece) - 2))) is not None:
                piece, cut = piece[: found.start()], piece[found.start() :]
            if piece:
                yield unquote_to_bytes(piece.replace(b"+", b" "))
            if ended or not await self._read_more():
                break
        if cut:
            yield cut

    async def _read_more(self) -> bool:
        """Whether there was more."""
        chunk = await anext(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)
