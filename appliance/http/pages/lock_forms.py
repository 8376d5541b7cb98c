"""The forms of the page of what is locked, which work without JavaScript."""

from http import HTTPStatus

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError, Busy, InvalidField, ProofRequired, TooManyGuesses, WrongPassphrase
from appliance.domain.model import Album, Image
from appliance.http.closed import give_pass, is_one_view, locked, path_of, require_passphrase
from appliance.http.forms import read_form, text_field
from appliance.http.keys import ALBUMS, CLOSED, DELIVERY
from appliance.http.pages.html_responses import problem_page_response
from appliance.http.pages.selection import pages_of, wants_page

PASSPHRASE_REFUSED = (WrongPassphrase, TooManyGuesses, ProofRequired, InvalidField, Busy)


async def unlock_image(request: web.Request) -> web.Response:
    """POST /i/{slug}/unlock: field `passphrase`; leads to the image, with a pass for this browser"""
    return await _unlock(request, await request.app[DELIVERY].resolve(request.match_info["slug"]))


async def unlock_album(request: web.Request) -> web.Response:
    """POST /a/{slug}/unlock: the same for an album"""
    return await _unlock(request, (await request.app[ALBUMS].show(request.match_info["slug"])).album)


async def redirect_to_locked(request: web.Request) -> web.Response:
    """GET of the addresses above, where the browser still is after a wrong passphrase: people copy and reload them"""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: request.path.rpartition("/")[0]})


async def _unlock(request: web.Request, shared: Image | Album) -> web.Response:
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: path_of(shared)})
    if shared.lock is None or is_one_view(shared):  # it was unlocked meanwhile, or has another form
        return response
    request[CLOSED] = True
    if not (closed := locked(request, shared)).has_passphrase:
        raise closed
    form = await read_form(request)
    try:
        await require_passphrase(request, shared, text_field(form, "passphrase"), text_field(form, "proof"))
    except PASSPHRASE_REFUSED as fault:
        return locked_response(request, shared, fault)
    give_pass(request, response, shared)
    return response


def locked_response(request: web.Request, shared: Image | Album, fault: ApplianceError) -> web.Response:
    """The form again, with the problem; raises `fault` for programs."""
    if not wants_page(request):
        raise fault
    return problem_page_response(pages_of(request).locks.locked_page(locked(request, shared), fault), fault)
