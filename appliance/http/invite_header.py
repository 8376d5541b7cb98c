"""Where guests' programs send the token of a guest link: the header of an upload, or a field of its form.

Under another name it would be overlooked, and the image would be in no album, so similar names are refused.
"""

from typing import Final

from aiohttp import hdrs, web
from multidict import istr

from appliance.domain.errors import InvalidField
from appliance.http.links import GUESTS_PATH

INVITE_HEADER: Final = "X-Invite"
INVITE_FIELD: Final = "invite"
OTHER_HEADERS: Final = tuple(
    istr(name)
    for name in (
        *("Invite", "Invite-Token", "X-Invite-Token", "Invite-Link", "X-Invite-Link", "Invitation", "X-Invitation"),
        *("Guest-Link", "X-Guest-Link", "Guest-Token", "X-Guest-Token"),
    )
)
_NAMES = frozenset(name.lower().removeprefix("x-").replace("-", "") for name in OTHER_HEADERS)
_CHANGING = (hdrs.METH_POST, hdrs.METH_PUT)


def invite_in_head(request: web.Request) -> str | None:
    """The token in the header, or in the address of a form that guests send without JavaScript.

    Raises InvalidField for another name of the header, for two that differ, and for a token in the query.
    """
    if request.method in _CHANGING:
        _refuse_overlooked(request)
    if INVITE_HEADER in request.headers:
        return only_invite(*request.headers.getall(INVITE_HEADER))
    if request.method == hdrs.METH_POST and request.path.startswith(GUESTS_PATH):
        return request.match_info.get("token")
    return None


def only_invite(*sent: str) -> str:
    """The token that a request brings, perhaps in several ways. Raises InvalidField for two different ones."""
    found = {text.strip() for text in sent}
    if len(found) > 1:
        raise InvalidField("The request has two different guest links. Send one.")
    return found.pop()


def names_invite(name: str) -> bool:
    """Whether programs call a field or parameter like this that brings the token of a guest link."""
    return name.lower().replace("_", "-").removeprefix("x-").replace("-", "") in _NAMES


def refuse_misnamed(name: str) -> None:
    """Raises InvalidField for a field whose name means a guest link, and isn't the one that is read."""
    if name != INVITE_FIELD and names_invite(name):
        raise InvalidField(f"The field for a guest link is called {INVITE_FIELD}, not {name[:40]}.")


def _refuse_overlooked(request: web.Request) -> None:
    for name in OTHER_HEADERS:
        if name in request.headers:
            raise InvalidField(f"The header for a guest link is called {INVITE_HEADER}, not {name}.")
    if request.query_string and any(map(names_invite, request.query)):
        raise InvalidField(f"Send the guest link in the header {INVITE_HEADER}, because addresses end up in logs.")
