"""Checks of a request's head, before anything else reads it.

aiohttp parses a Content-Type with Python's email parser, which takes quadratic time and raises all kinds of exceptions;
so only short and simple ones get that far.
"""

import re

from aiohttp import hdrs, web

from appliance.domain.errors import EncodedBody, MalformedRequest, PartialUpload

MAX_MEDIA_TYPE_CHARS = 256  # a boundary has up to 70 characters (RFC 2046, 5.1.1)
MAX_PARAMETERS = 8
MAX_QUOTES = 2 * MAX_PARAMETERS
MAX_HOST_CHARS = 320  # a name has up to 253, plus a port and brackets
HOST_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~!$&'()*+,;=%:[]"
"""Characters of host names, addresses and ports (RFC 3986, 3.2.2)."""
CONTENT_RANGE = re.compile(r"bytes[ \t]+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.ASCII | re.IGNORECASE)
CHUNK_COUNTS = frozenset({"chunks", "dztotalchunkcount", "flowTotalChunks", "qqtotalparts", "resumableTotalChunks"})
"""The fields in which plupload, Dropzone, Flow.js, Fine Uploader and Resumable.js say how many chunks a file has."""
PARTIAL_DETAIL = (
    "This request has only a part of the file. Turn off chunks in your uploader and send the whole file at once, or "
    "send it in parts with tus at /api/v1/uploads."
)
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""UTF-8 and its subset ASCII. Some of Python's other codecs take seconds for a megabyte."""


def check_head(request: web.Request) -> None:
    """Raises MalformedRequest for an invalid Host or Content-Type."""
    host, media_type = request.headers.get(hdrs.HOST), request.headers.get(hdrs.CONTENT_TYPE)
    if host is not None and not _is_host(host):
        raise MalformedRequest("The Host header is empty or invalid.")
    if media_type is not None:
        _check_media_type(request, media_type)


def _is_host(host: str) -> bool:
    """Whether `host` isn't empty and has only characters of a name, an address and a port."""
    return 0 < len(host) <= MAX_HOST_CHARS and not host.strip(HOST_CHARACTERS)


def _check_media_type(request: web.Request, media_type: str) -> None:
    if len(media_type) > MAX_MEDIA_TYPE_CHARS:
        limit, actual = MAX_MEDIA_TYPE_CHARS, len(media_type)
        raise MalformedRequest(f"The Content-Type has more than {limit} characters.", limit=limit, actual=actual)
    parameters = media_type.count(";")
    if parameters > MAX_PARAMETERS:
        raise MalformedRequest(
            f"The Content-Type has more than {MAX_PARAMETERS} parameters.", limit=MAX_PARAMETERS, actual=parameters
        )
    try:
        if "(" in media_type or media_type.count('"') > MAX_QUOTES:  # HTTP has no comments
            raise ValueError("no media type")
        _ = request.content_type  # parses it; aiohttp keeps the result
    except Exception as fault:
        raise MalformedRequest("The Content-Type must be a media type such as image/jpeg.") from fault


def refuse_encoded(request: web.Request) -> None:
    """Raises EncodedBody for a compressed body: bodies are never decompressed here."""
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if encoding not in ("", "identity"):
        raise EncodedBody("Uploads must not be compressed. Remove Content-Encoding and send the file as it is.")


def refuse_partial(request: web.Request) -> None:
    """Raises PartialUpload for a body that Content-Range calls a part of a file, or whose file's end isn't known.

    It may call the body the whole file: `bytes 0-99/100`.
    """
    given = request.headers.get(hdrs.CONTENT_RANGE)
    if given is None:
        return
    match = CONTENT_RANGE.fullmatch(given.strip())
    if match is None or int(match[1]) != 0 or int(match[2]) + 1 != int(match[3]):
        raise PartialUpload(PARTIAL_DETAIL)


def refuse_chunks(name: str, text: str) -> None:
    """Raises PartialUpload for a form field by which Dropzone and other uploaders number the chunks of a file."""
    if name in CHUNK_COUNTS and text.strip() not in ("", "0", "1"):
        raise PartialUpload(PARTIAL_DETAIL)


def refuse_other_charsets(charset: str | None) -> None:
    """Raises MalformedRequest for a charset other than UTF-8; None counts as UTF-8."""
    if charset is not None and charset.strip().lower() not in UTF_8:
        raise MalformedRequest("Text must be UTF-8. Send it with charset=utf-8, or without a charset.")
