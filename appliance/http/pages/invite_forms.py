"""Guest links of an album by forms: its owner makes, lists and closes them, with the album's delete token."""

from typing import Any

from aiohttp import hdrs, web

from appliance.albums.invites import NewInvite
from appliance.domain.errors import ApplianceError, InvalidField, MissingToken, UnknownAlbum, WrongToken
from appliance.domain.upload_options import parse_duration
from appliance.http.api.invites import parse_sees
from appliance.http.delete_tokens import delay_wrong_tokens, token_in
from appliance.http.forms import Form, read_form, text_field
from appliance.http.keys import ALBUMS, CONFIG, INVITES
from appliance.http.links import Links, album_manage_path
from appliance.http.pages.html_responses import page_response, problem_page_response
from appliance.http.pages.selection import pages_of


async def redirect_to_manage(request: web.Request) -> web.Response:
    """GET /a/{slug}/invites: without the token, there is nothing to show"""
    return web.Response(status=303, headers={hdrs.LOCATION: album_manage_path(request.match_info["slug"])})


async def manage_invites(request: web.Request) -> web.Response:
    """POST /a/{slug}/invites: make a guest link, close one, or only list them"""
    form, slug = await read_form(request), request.match_info["slug"]
    pages, _ = pages_of(request), pages_of(request).language.gettext
    token, link, notice, problem = token_in(text_field(form, "token")), None, None, None
    async with delay_wrong_tokens(request):
        album = await request.app[ALBUMS].owned(slug, token)
    try:
        if text_field(form, "action") == "make":
            _status, secret = await request.app[INVITES].add(slug, token, _new_invite(form))
            link, notice = Links.of(request.app[CONFIG]).guests(secret), _("Guest link made.")
        elif invite_id := text_field(form, "close"):
            await request.app[INVITES].close(slug, token, invite_id)
            notice = _("Guest link closed. Nobody can add images by it any more.")
    except (MissingToken, WrongToken, UnknownAlbum):
        raise
    except ApplianceError as fault:
        problem = fault
    invites = await request.app[INVITES].all(slug, token)
    page = pages.guests.invites_page(album, invites, token, problem=problem, notice=notice, new_link=link)
    return page_response(page) if problem is None else problem_page_response(page, problem)


def _new_invite(form: Form) -> NewInvite:
    """Raises InvalidField, InvalidExpiry."""
    given: dict[str, Any] = {name: _number(form, name) for name in ("max_images", "max_bytes") if name in form}
    if expires_in := text_field(form, "expires_in"):
        given["expires_in_s"] = parse_duration(expires_in)
    if sees := text_field(form, "sees"):
        given["sees"] = parse_sees(sees)
    return NewInvite(**given)


def _number(form: Form, name: str) -> int:
    text = text_field(form, name).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise InvalidField(f"{name} must be a whole number.")
    return int(text)
