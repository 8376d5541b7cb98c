"""Sealed addresses: the address that began an upload, kept so that a ban finds it after a restart as well.

An address is sealed with the key of the day: those who have the catalogue or a backup can't read it, and nobody can
once the day is over.
"""

import hmac
from collections.abc import Callable

from appliance.domain.clients import Client
from appliance.domain.resumable_uploads import Upload
from appliance.limits.day_key import DayKey

TAG_BYTES, ADDRESS_BYTES = 8, 48
"""The longest address is a network of IPv6: 43 characters."""


class SealedAddresses:
    """`day_key` is the key of today; None where none is kept, so that no upload has one."""

    def __init__(self, day_key: Callable[[], DayKey | None]) -> None:
        self._day_key = day_key

    def seal(self, id_hash: str, client: Client) -> bytes | None:
        """The client's address, for the upload of this id alone."""
        address, key = client.address.encode(), self._day_key()
        if key is None or len(address) > ADDRESS_BYTES:
            return None
        hidden = _xored(address.ljust(ADDRESS_BYTES, b"\0"), _pad(key, id_hash))
        return _tag(key, id_hash, hidden) + hidden

    def client_of(self, upload: Upload) -> Client | None:
        """Who began the upload; None on another day, on another node, and where nothing was sealed."""
        key = self._day_key()
        if key is None or upload.sealed_address is None:
            return None
        tag, hidden = upload.sealed_address[:TAG_BYTES], upload.sealed_address[TAG_BYTES:]
        if not hmac.compare_digest(_tag(key, upload.id_hash, hidden), tag):
            return None
        return Client(_xored(hidden, _pad(key, upload.id_hash)).rstrip(b"\0").decode())


def _pad(key: DayKey, id_hash: str) -> bytes:
    """Bytes of which only the key's holder knows any; no other upload has the same."""
    return hmac.digest(key.key, f"address {id_hash}".encode(), "sha512")[:ADDRESS_BYTES]


def _tag(key: DayKey, id_hash: str, hidden: bytes) -> bytes:
    return hmac.digest(key.key, f"sealed {id_hash} ".encode() + hidden, "sha256")[:TAG_BYTES]


def _xored(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
