"""The header in which programs send a passphrase: of an image that they upload, or of one that they want to see."""

from typing import Final

from aiohttp import web

from appliance.domain.errors import InvalidField
from appliance.domain.passphrases import check_passphrase

PASSPHRASE: Final = "X-Passphrase"  # noqa: S105  (its name, not one)


def passphrase_in(request: web.Request) -> str | None:
    """The passphrase in the header, which is UTF-8; None without one. Raises InvalidField."""
    sent = request.headers.get(PASSPHRASE)
    if sent is None:
        return None
    try:
        text = sent.encode(errors="surrogateescape").decode()
    except UnicodeDecodeError as fault:
        raise InvalidField(f"{PASSPHRASE} must be UTF-8 text.") from fault
    return check_passphrase(text)
