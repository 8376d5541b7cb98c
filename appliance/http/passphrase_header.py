"""The header in which programs send a passphrase: of what they create, or of what they want to see."""

from typing import Final

from aiohttp import web

from appliance.catalogue import Unchanged
from appliance.domain.errors import InvalidField
from appliance.domain.passphrases import check_passphrase, only_passphrase
from appliance.domain.upload_options import closing_option

PASSPHRASE: Final = "X-Passphrase"  # noqa: S105  (its name, not one)
MISSPELT: Final = ("Passphrase", "Password", "X-Password", "X-Pass-Phrase")
ONE_VIEW: Final = ("One-View", "X-One-View")


def passphrase_in(request: web.Request) -> str | None:
    """The passphrase in the header, which is UTF-8; None without one.

    Raises InvalidField, also for another name of the header, because nothing would be locked then.
    """
    for name in MISSPELT:
        if name in request.headers:
            raise InvalidField(f"The header is called {PASSPHRASE}, not {name}.")
    sent = request.headers.get(PASSPHRASE)
    if sent is None:
        return None
    try:
        text = sent.encode(errors="surrogateescape").decode()
    except UnicodeDecodeError as fault:
        raise InvalidField(f"{PASSPHRASE} must be UTF-8 text.") from fault
    return check_passphrase(text)


def new_passphrase(request: web.Request, entered: str | None = None) -> str | None:
    """The passphrase for what the request creates: from the header, or what was `entered` in a field.

    Raises InvalidField for two different ones, and for what closes it in the wrong place.
    """
    for name in ONE_VIEW:
        if name in request.headers:
            raise InvalidField(f"Send one_view as a field, or in the address. There is no header {name}.")
    if any(closing_option(name) == "passphrase" for name in request.query):
        raise InvalidField(f"Send the passphrase in the header {PASSPHRASE}, because addresses end up in logs.")
    return only_passphrase(passphrase_in(request), entered)


def refuse_unread(request: web.Request, passphrase: str | Unchanged | None, lock: str | None) -> None:
    """Raises InvalidField for a change of what has no lock, with the passphrase in the header: it would lock nothing.

    `passphrase` is what the body has, and `lock` what there was before. The header opens what is locked.
    """
    if lock is None and isinstance(passphrase, Unchanged) and passphrase_in(request) is not None:
        raise InvalidField(f"Send the new passphrase as “passphrase” in the body. The header {PASSPHRASE} sets none.")
