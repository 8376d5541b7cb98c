"""Files that come as Base64 text or as a data URL, decoded as they arrive."""

import base64
import binascii
from collections.abc import AsyncIterator

from appliance.domain.errors import MalformedRequest, RemoteUrlRefused

MAX_PREFIX_BYTES = 256  # of a data URL before its data
MAX_BLANK_BYTES = 64 * 1024  # line breaks beyond the Base64 between them: no limit of a file's size counts them
MAX_TAIL_BYTES = 8  # the last four characters, and padding that some write twice
REMOTE_SCHEMES = ("http://", "https://", "ftp://")
_ALPHABET = bytes.maketrans(b"-_ ", b"+/+")  # also URL-safe; and forms turn a plus that wasn't encoded into a blank
_LINE_BREAKS = b"\r\n\t"


async def open_base64(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes] | None:
    """The decoded bytes of a text that comes in `chunks`; None if the text is empty.

    Accepts the standard and the URL-safe alphabet, padded or not, in lines or not. Raises RemoteUrlRefused for a URL,
    MalformedRequest for a data URL without Base64, and while decoding for what isn't Base64.
    """
    head, read_bytes = b"", 0
    async for chunk in chunks:
        head, read_bytes = (head + chunk).lstrip(), read_bytes + len(chunk)
        if len(head) > MAX_PREFIX_BYTES:
            break
        if read_bytes > MAX_BLANK_BYTES:
            raise _not_base64()
    if head.decode("latin-1").lower().startswith(REMOTE_SCHEMES):
        raise RemoteUrlRefused
    return _decoded(_without_prefix(head), chunks) if head.strip() else None


def _without_prefix(head: bytes) -> bytes:
    """The beginning of the data, without `data:image/png;base64,`. Raises MalformedRequest."""
    if head[:5].lower() != b"data:":
        return head
    prefix, comma, data = head.partition(b",")
    if not comma or len(prefix) > MAX_PREFIX_BYTES or not prefix.lower().endswith(b";base64"):
        raise MalformedRequest("The data URL isn't Base64. It must begin like “data:image/png;base64,”.")
    return data


async def _decoded(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest, blank_bytes = _cleaned(head), 0
    while True:
        data_bytes = len(rest.partition(b"=")[0])
        usable_bytes = data_bytes - data_bytes % 4
        if block := _decode(rest[:usable_bytes]):
            yield block
        rest = rest[usable_bytes:]
        if len(rest) > MAX_TAIL_BYTES:
            raise _not_base64()
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        cleaned = _cleaned(chunk)
        blank_bytes = max(0, blank_bytes + len(chunk) - 2 * len(cleaned))
        if blank_bytes > MAX_BLANK_BYTES:
            raise _not_base64()
        rest += cleaned
    unpadded = rest.rstrip(b"=")
    if block := _decode(unpadded + b"=" * (-len(unpadded) % 4)):
        yield block


def _cleaned(chunk: bytes) -> bytes:
    return chunk.translate(_ALPHABET, _LINE_BREAKS)


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise _not_base64() from fault


def _not_base64() -> MalformedRequest:
    return MalformedRequest("The text in place of the file isn't Base64. Send a file, Base64 or a data URL.")
