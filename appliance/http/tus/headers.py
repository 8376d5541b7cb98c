"""The headers of tus 1.0.0: those that we send, and parsing those of clients."""

import base64
import binascii
import re
from collections.abc import MutableMapping
from email.utils import formatdate

from aiohttp import hdrs, web

from appliance.domain.access_keys import key_in
from appliance.domain.errors import InvalidField, KeyInvalid, MalformedRequest, NotTusBody, UnsupportedTusVersion
from appliance.domain.model import UploadOptions
from appliance.domain.upload_options import clean_filename, with_option
from appliance.http.authentication import KEY_HEADER, names_key
from appliance.http.invite_header import INVITE_HEADER, names_invite
from appliance.http.passphrase_header import new_passphrase
from appliance.http.transport.content_digest import content_checksums
from appliance.spool import ALGORITHMS, Checksum

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation"
MEDIA_TYPE = "application/offset+octet-stream"
OVERRIDE = "X-HTTP-Method-Override"
OVERRIDABLE = frozenset({hdrs.METH_HEAD, hdrs.METH_PATCH, hdrs.METH_DELETE})
SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
ALLOWED = (
    "Authorization, Cache-Control, Content-Digest, Content-Type, Proof-Of-Work, Tus-Resumable, Upload-Checksum, "
    "Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-API-Key, "
    "X-HTTP-Method-Override, X-Invite, X-Passphrase, X-Request-ID, X-Requested-With"
)
EXPOSED = (
    "Content-Location, Location, RateLimit, RateLimit-Policy, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, "
    "Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, Upload-Expires, Upload-Length, "
    "Upload-Metadata, Upload-Offset, X-Request-ID"
)
_URL_SAFE = str.maketrans("-_", "+/")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def add_headers(headers: MutableMapping[str, str], status: int) -> None:
    """The headers of every response about a resumable upload, errors included."""
    headers["Tus-Resumable"] = VERSION
    headers["Access-Control-Expose-Headers"] = EXPOSED
    if status == 412:
        headers["Tus-Version"] = VERSION


def check_version(request: web.Request) -> None:
    """Raises UnsupportedTusVersion."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise UnsupportedTusVersion(f"Send the header Tus-Resumable: {VERSION}. No other version is supported.")


def check_media_type(request: web.Request) -> None:
    """Raises NotTusBody."""
    if request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise NotTusBody(f"Send the bytes with Content-Type: {MEDIA_TYPE}.")


def method_of(request: web.Request) -> str:
    """The method, or the tus method in X-HTTP-Method-Override; a GET or HEAD can't be overridden.

    Links and caches send GET, and they don't mean to change anything.
    """
    override = request.headers.get(OVERRIDE, "").upper()
    return override if override in OVERRIDABLE and request.method not in SAFE else request.method


def parse_number(request: web.Request, name: str) -> int | None:
    """A header that is a whole number; None if it is missing. Raises MalformedRequest."""
    text = request.headers.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise MalformedRequest(f"{name} must be a whole number of bytes.")
    return int(text)


def is_deferred(request: web.Request) -> bool:
    """Whether the length is sent later. Raises MalformedRequest."""
    text = request.headers.get("Upload-Defer-Length")
    if text not in (None, "1"):
        raise MalformedRequest("Upload-Defer-Length must be 1 or left out.")
    return text is not None


def parse_checksums(request: web.Request) -> tuple[Checksum, ...]:
    """The checksums in Upload-Checksum and Content-Digest, all of which the bytes must have.

    Raises MalformedRequest, and InvalidField for an unknown algorithm.
    """
    digests = content_checksums(request)
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return digests
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidField(f"Supported checksums: {', '.join(ALGORITHMS)}.")
    return (Checksum(algorithm, _decoded("Upload-Checksum", encoded)), *digests)


def parse_metadata(request: web.Request) -> dict[str, str]:
    """The keys and texts of Upload-Metadata; empty pairs, as behind a last comma, don't count.

    Raises MalformedRequest.
    """
    found: dict[str, str] = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        if not pair.strip():
            continue
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in found or not pair.isascii():
            raise MalformedRequest("Upload-Metadata must be pairs of a key and Base64 text, each key once.")
        try:
            found[key] = _decoded("Upload-Metadata", encoded.strip()).decode()
        except UnicodeDecodeError as fault:
            raise MalformedRequest(f"The value of {key[:40]} in Upload-Metadata is not UTF-8 text.") from fault
    return found


def parse_upload_options(request: web.Request, max_expiry_days: int) -> UploadOptions:
    """The options in the metadata, where `name` may name the file too; and the passphrase, which may have its header.

    Raises as `parse_metadata`, KeyInvalid for an access key in it, InvalidExpiry, InvalidField.
    """
    found = parse_metadata(request)
    filename = clean_filename(found.pop("filename", "") or found.get("name", ""))
    options = UploadOptions(filename=filename, passphrase=new_passphrase(request))
    for name, text in found.items():
        if names_key(name) and key_in(text) is not None:
            raise KeyInvalid(f"Send the access key in the header {KEY_HEADER}, because metadata is recorded.")
        if names_invite(name):
            raise InvalidField(f"Send the guest link in the header {INVITE_HEADER}, because metadata is recorded.")
        options = with_option(options, name, text, max_expiry_days)
    return options


def recorded_metadata(request: web.Request) -> str:
    """Upload-Metadata as it is recorded and sent back: unchanged, but for a passphrase, which is stored nowhere."""
    text = request.headers.get("Upload-Metadata", "")
    pairs = text.split(",")
    kept = [pair for pair in pairs if pair.strip().partition(" ")[0] != "passphrase"]
    return text if len(kept) == len(pairs) else ",".join(kept)


def http_date(unix_s: int) -> str:
    return formatdate(unix_s, usegmt=True)


def _decoded(name: str, text: str) -> bytes:
    """The bytes of Base64 in the standard or URL-safe alphabet, padded or not. Raises MalformedRequest."""
    unpadded = text.rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise MalformedRequest(f"{name} contains invalid Base64.") from fault
