"""Passphrases: which ones are accepted, and the lock that none opens."""

import unicodedata

from appliance.domain.errors import InvalidField

MAX_PASSPHRASE_BYTES = 1024
UNREADABLE_LOCK = "unreadable"
"""The lock of an image or album whose own one was lost: no passphrase opens it, only its delete token."""


def check_passphrase(text: str) -> str:
    """The passphrase as it is hashed: in NFC, because keyboards differ, and without the line end of a file.

    Raises InvalidField.
    """
    if len(text) > MAX_PASSPHRASE_BYTES:  # before normalizing, which takes more than linear time
        raise _too_long(len(text.encode(errors="surrogatepass")))
    text = unicodedata.normalize("NFC", text.rstrip("\r\n"))
    try:
        size = len(text.encode())
    except UnicodeEncodeError as fault:
        raise InvalidField("passphrase must be UTF-8 text.") from fault
    if size > MAX_PASSPHRASE_BYTES:
        raise _too_long(size)
    if not text:
        raise InvalidField("passphrase must have at least one character.")
    return text


def only_passphrase(first: str | None, other: str | None) -> str | None:
    """The passphrase of a request that may bring it in two ways. Raises InvalidField for two different ones."""
    if first is not None and other is not None and first != other:
        raise InvalidField("The request has two different passphrases. Send one.")
    return other if first is None else first


def _too_long(size: int) -> InvalidField:
    return InvalidField(
        f"The passphrase is too long: it has {size:,} bytes, but at most {MAX_PASSPHRASE_BYTES:,} are allowed.",
        limit=MAX_PASSPHRASE_BYTES,
        actual=size,
    )
