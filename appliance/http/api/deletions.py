"""Deletions in the API: whether one goes to the bin, and its response."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from appliance.domain.errors import GoneAlbum, GoneImage, InvalidField, KeyScope, UnknownAlbum, UnknownImage, WrongToken
from appliance.http.delete_tokens import delay_wrong_tokens, ownership_proof
from appliance.http.localization.formatting import rfc3339
from appliance.http.responses import json_answer
from appliance.lifecycle.management import Proof

NO_STORE = {"Cache-Control": "no-store"}


def asks_for_bin(request: web.Request) -> bool:
    """Whether the query has `bin=true`. Raises InvalidField for anything but `true` and `false`."""
    value = request.query.get("bin", "false")
    if value not in ("true", "false"):
        raise InvalidField("bin must be true or false.")
    return value == "true"


def deletion_response(restorable_until_s: int | None, *, to_bin: bool) -> web.Response:
    """With the bin, until when the deletion can be taken back; without, no content."""
    if not to_bin:
        return web.Response(status=204, headers=NO_STORE)
    until = None if restorable_until_s is None else rfc3339(restorable_until_s)
    return json_answer({"restorable_until": until}, headers=NO_STORE)


Answer = TypeVar("Answer")


async def tell_owner(request: web.Request, ask: Callable[[str, Proof], Awaitable[Answer]]) -> Answer | None:
    """What `ask` knows of the path's slug, if the request has its delete token or key; None for anybody else.

    Raises Busy after many wrong tokens.
    """
    if (token := ownership_proof(request)) is None:
        return None
    try:
        async with delay_wrong_tokens(request):
            return await ask(request.match_info["slug"], token)
    except (UnknownImage, UnknownAlbum, GoneImage, GoneAlbum, KeyScope, WrongToken):
        return None
