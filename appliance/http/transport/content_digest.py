"""Content-Digest (RFC 9530): digests that a client sends of its request's content, compared as the content arrives."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from appliance.domain.errors import DigestMismatch, MalformedRequest
from appliance.spool import Checksum

ALGORITHMS: Final[Mapping[str, str]] = {"sha-256": "sha256", "sha-512": "sha512"}
"""The names in `hashlib` of those that are compared. Others may be sent, and are ignored (RFC 9530, 4)."""
MAX_HEADER_CHARS = 2048
_MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):[ \t]*(?:;.*)?", re.ASCII)


def parse_content_digest(request: web.Request) -> dict[str, bytes]:
    """The digests by names of `hashlib`; empty if there are none to compare. Raises MalformedRequest."""
    text = ",".join(request.headers.getall("Content-Digest", ()))
    if len(text) > MAX_HEADER_CHARS:
        raise _malformed()
    digests: dict[str, bytes] = {}
    for member in filter(None, (each.strip() for each in text.split(","))):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise _malformed()
        if (algorithm := ALGORITHMS.get(match[1])) is not None:
            digests[algorithm] = _decode(algorithm, match[2])
    return digests


def content_checksums(request: web.Request) -> tuple[Checksum, ...]:
    """The digests as the checksums of a resumable upload's chunk. Raises MalformedRequest."""
    return tuple(Checksum(algorithm, digest) for algorithm, digest in parse_content_digest(request).items())


def _decode(algorithm: str, text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise _malformed() from fault
    if len(digest) != hashlib.new(algorithm).digest_size:
        raise _malformed()
    return digest


def _malformed() -> MalformedRequest:
    return MalformedRequest("Content-Digest must be like sha-256=:Base64 of the digest:, with sha-256 or sha-512.")


class ContentDigest:
    """Compares content with the digests that its client sent."""

    def __init__(self, expected: Mapping[str, bytes]) -> None:
        self._expected = expected
        self._hashes = {algorithm: hashlib.new(algorithm) for algorithm in expected}

    def update(self, chunk: bytes) -> None:
        """Add the next bytes of the content."""
        for each in self._hashes.values():
            each.update(chunk)

    def require_match(self) -> None:
        """Raises DigestMismatch if the content, now complete, has another digest."""
        for algorithm, digest in self._expected.items():
            if self._hashes[algorithm].digest() != digest:
                raise DigestMismatch
