"""Byte ranges: which part of a file a request asks for (RFC 9110, 14)."""

import re

from aiohttp import hdrs, web

from appliance.domain.errors import RangeNotSatisfiable

RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,40})-([0-9]{0,40})", re.ASCII | re.IGNORECASE)


def requested_range(request: web.Request, size: int, etag: str) -> tuple[int, int] | None:
    """The requested range; None for the whole file, for methods other than GET, and for an outdated If-Range.

    Raises RangeNotSatisfiable.
    """
    asked, condition = request.headers.get(hdrs.RANGE), request.headers.get(hdrs.IF_RANGE)
    if request.method != hdrs.METH_GET or asked is None or condition not in (None, etag):
        return None
    return byte_range(asked, size)


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """Start and length of the single range in a Range header (RFC 9110, 14), for a file of `size` bytes.

    None for what must be ignored: several ranges, other units, and invalid ranges. Raises RangeNotSatisfiable.
    """
    match = RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:
        first, last = size - min(last or 0, size), size - 1
    elif last is not None and last < first:
        return None
    if first >= size:
        raise RangeNotSatisfiable(
            f"The file has {size:,} bytes, and the range starts after its end.", limit=size, actual=first
        )
    return first, min(size - 1 if last is None else last, size - 1) - first + 1
