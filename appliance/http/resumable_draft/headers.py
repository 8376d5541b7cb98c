"""The header fields of the draft: parsing those of clients, and those that responses carry."""

import re
from collections.abc import Mapping

from aiohttp import content_disposition_filename, hdrs, parse_content_disposition, web

from appliance.domain.errors import InconsistentLength, MalformedRequest, NotTusBody
from appliance.http.links import share_path
from appliance.http.resumable_draft.versions import CURRENT, FIELD, InteropVersion, named_version
from appliance.http.transport.completeness import parse_complete
from appliance.http.transport.multipart import MAX_PARAMETERS
from appliance.resumable import Progress

MEDIA_TYPE = "application/partial-upload"
REASON = "Upload Resumption Supported"
OFFSET, LENGTH, LIMIT = "Upload-Offset", "Upload-Length", "Upload-Limit"
EXPOSED = (
    "Content-Location, Location, RateLimit, RateLimit-Policy, Retry-After, Upload-Complete, "
    "Upload-Draft-Interop-Version, Upload-Incomplete, Upload-Length, Upload-Limit, Upload-Offset, X-Request-ID"
)
_INTEGER = re.compile(r"[ \t]*([0-9]{1,15})[ \t]*(?:;.*)?", re.ASCII | re.DOTALL)


def version_of(request: web.Request) -> InteropVersion:
    """The version whose rules hold for the request: the current one where it names none that is known."""
    return named_version(request) or CURRENT


def completeness(request: web.Request) -> bool | None:
    """Whether the upload ends with this request's body; None if the request doesn't say."""
    return parse_complete(request, version_of(request).completeness)


def parse_integer(request: web.Request, name: str) -> int | None:
    """A field that is a non-negative integer; None if it is missing or anything else, as the draft requires."""
    match = _INTEGER.fullmatch(request.headers.get(name, ""))
    return int(match[1]) if match else None


def parse_length(request: web.Request, offset: int, *, is_last: bool) -> int | None:
    """The length of the whole upload, in bytes, as far as the head tells. Raises InconsistentLength."""
    declared = parse_integer(request, LENGTH)
    body_bytes = request.content_length if request.body_exists else 0
    if not is_last or body_bytes is None:
        return declared
    whole = offset + body_bytes
    if declared not in (None, whole):
        raise InconsistentLength(
            f"Upload-Length says {declared:,} bytes, but with this request the upload would end at {whole:,}.",
            limit=declared,
            actual=whole,
        )
    return whole


def check_media_type(request: web.Request) -> None:
    """Raises NotTusBody for appended bytes that aren't a partial upload, in the versions that require it."""
    media_type = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if version_of(request).needs_media_type and media_type != MEDIA_TYPE:
        raise NotTusBody(f"Send the bytes with Content-Type: {MEDIA_TYPE}.")


def parse_filename(request: web.Request) -> str:
    """The name in the Content-Disposition, empty without one. Raises MalformedRequest."""
    text = request.headers.get(hdrs.CONTENT_DISPOSITION, "")
    if text.count(";") > MAX_PARAMETERS:
        raise MalformedRequest(f"The Content-Disposition has more than {MAX_PARAMETERS} parameters.")
    _, parameters = parse_content_disposition(text)
    return content_disposition_filename(parameters) or ""


def progress_headers(version: InteropVersion, progress: Progress) -> dict[str, str]:
    """How far an upload is, whether it is complete, and where its image is."""
    upload, is_complete = progress.upload, progress.complete or progress.upload.refusal is not None
    headers = completeness_headers(version, is_complete=is_complete)
    if upload.refusal is None:
        headers[OFFSET] = str(progress.offset)
    if upload.length is not None:
        headers[LENGTH] = str(upload.length)
    if upload.slug is not None and progress.complete:
        headers[hdrs.CONTENT_LOCATION] = share_path(upload.slug)
    return headers


def completeness_headers(version: InteropVersion, *, is_complete: bool) -> dict[str, str]:
    value = "?1" if is_complete is not version.is_inverted else "?0"
    return {version.completeness: value, FIELD: str(version.number)}


def limit_headers(version: InteropVersion, max_bytes: int, lifetime_s: int | None = None) -> dict[str, str]:
    """The limits: bytes of an upload, and, for one that exists, the seconds it is kept without new bytes."""
    limits = [f"max-size={max_bytes}"]
    if lifetime_s is not None:
        limits.append(f"{version.lifetime}={max(0, lifetime_s)}")
    return {LIMIT: ", ".join(limits)}


def informational_response(headers: Mapping[str, str]) -> bytes:
    """A 104 response. aiohttp has no way to send one."""
    lines = [f"HTTP/1.1 104 {REASON}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
