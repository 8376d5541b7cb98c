"""The pages of the host and of an image: upload, My images, share, manage."""

from dataclasses import replace

from aiohttp import web

from appliance.domain.errors import ApplianceError, GoneImage, MalformedRequest, MissingToken, UnknownImage, WrongToken
from appliance.domain.model import Ending
from appliance.domain.upload_options import parse_duration
from appliance.http.banned import ban_of
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass, is_open
from appliance.http.delete_tokens import delay_wrong_tokens, token_in
from appliance.http.forms import Form, changed_passphrase, changed_text, read_form, text_field
from appliance.http.image_lookup import find_image, find_image_or_progress, resolve_image
from appliance.http.keys import CLOCK, DELIVERY, LIMITS, MANAGEMENT
from appliance.http.links import share_path
from appliance.http.pages.gone import DELETIONS, with_gone_page
from appliance.http.pages.html_responses import (
    page_response,
    problem_page_response,
    redirect_response,
    shared_page_response,
)
from appliance.http.pages.lock_forms import locked_response
from appliance.http.pages.selection import IN_ONE_LANGUAGE, form_cache, pages_of, wants_page
from appliance.lifecycle.endings import End
from appliance.lifecycle.management import Changes
from appliance.resumable import Progress


async def show_upload(request: web.Request) -> web.Response:
    """GET /"""
    client, site = client_of(request), pages_of(request).site
    if (ban := ban_of(request)) is not None:
        return page_response(site.blocked_page(ban))
    asks_for_proof = request.app[LIMITS].proof_of_work.is_asked(client)
    page = site.upload_page(user=client.user, asks_for_proof=asks_for_proof)
    return page_response(page, cache="no-store" if asks_for_proof else form_cache(request))


async def show_library(request: web.Request) -> web.Response:
    """GET /images: My images, a list that only the browser has"""
    return page_response(pages_of(request).site.library_page(), cache=IN_ONE_LANGUAGE)


async def _gone_page(request: web.Request, slug: str, problem: ApplianceError | None = None) -> str:
    end = await request.app[MANAGEMENT].end_of(slug)
    if end.ended is None:  # neither image nor tombstone: an upload that was never finished
        end = End(Ending.UNFINISHED)
    return pages_of(request).images.gone_page(slug, end, problem=problem)


@with_gone_page(GoneImage, _gone_page)
async def show_share(request: web.Request) -> web.Response:
    """GET /i/{slug}"""
    found, pages = await find_image_or_progress(request), pages_of(request).images
    if isinstance(found, Progress):
        return page_response(pages.pending_page(found))
    summary = await request.app[DELIVERY].summarize_renditions(found)
    return shared_page_response(request, pages.share_page(found, summary), found.slug)


@with_gone_page(GoneImage, _gone_page)
async def show_details(request: web.Request) -> web.Response:
    """GET /i/{slug}/details: what the original says of itself; share pages load it into a section"""
    image = await resolve_image(request)
    details = await request.app[DELIVERY].details(image, client_of(request).id)
    return shared_page_response(request, pages_of(request).images.details_page(image, details), image.slug)


async def redirect_to_share(request: web.Request) -> web.Response:
    """GET /i/{slug}/, and of the addresses of forms: programs and people add a slash to links, and load pages again"""
    return redirect_response(request, share_path(request.match_info["slug"]))


@with_gone_page(GoneImage, _gone_page)
async def show_manage(request: web.Request) -> web.Response:
    """GET /i/{slug}/manage: the form; it changes nothing"""
    image = await find_image(request, request.match_info["slug"])
    return page_response(pages_of(request).images.manage_page(image))


async def manage(request: web.Request) -> web.Response:
    """POST /i/{slug}/manage: the forms of the share page and of the manage page"""
    management, pages, slug = request.app[MANAGEMENT], pages_of(request), request.match_info["slug"]
    form, _ = await read_form(request), pages.language.gettext
    token, action = token_in(text_field(form, "token")), text_field(form, "action") or "save"
    try:
        if action in DELETIONS:
            async with delay_wrong_tokens(request):
                image = await management.delete(slug, token, to_bin=action == "delete")
            until_s = (await management.end_of(slug)).restorable_until_s
            return page_response(pages.images.deleted_page(image, token, restorable_until_s=until_s))
        if action in ("undo", "restore"):
            changes, notice = Changes(restore=True), _("Image restored.")
        elif action == "open":
            changes, notice = Changes(), None
        elif action == "save":
            changes = _read_changes(form, request.app[CLOCK]())
            notice = "" if changes == Changes() else _("Saved.")  # the form of a locked page has nothing but the token
        else:
            raise MalformedRequest("The form asks for an unknown action.")
        async with delay_wrong_tokens(request):
            image = await management.change(slug, token, changes, client=client_of(request))
    except UnknownImage:
        raise
    except ApplianceError as fault:
        return await _form_with_problem(request, slug, form, fault)
    response = page_response(pages.images.manage_page(image, notice=notice, delete_token=token))
    give_pass(request, response, image)
    return response


async def _form_with_problem(request: web.Request, slug: str, form: Form, fault: ApplianceError) -> web.Response:
    """The form again, with the problem and what was entered; the gone page if the image has ended meanwhile."""
    try:
        image = await request.app[DELIVERY].resolve(slug)
    except GoneImage:
        if not wants_page(request) or isinstance(fault, GoneImage):
            raise fault from None
        return problem_page_response(await _gone_page(request, slug, fault), fault)
    if not await is_open(request, image, token_in(text_field(form, "token"))):
        return locked_response(request, image, fault)
    entered = replace(image, title=_entered(form, "title", image.title), alt=_entered(form, "alt", image.alt))
    token = "" if isinstance(fault, (MissingToken, WrongToken)) else text_field(form, "token")
    page = pages_of(request).images.manage_page(entered, problem=fault, delete_token=token)
    return problem_page_response(page, fault)


def _read_changes(form: Form, now_s: float) -> Changes:
    expires_in = text_field(form, "expires_in")
    return Changes(
        title=changed_text(form, "title"),
        alt=changed_text(form, "alt"),
        expires_s=int(now_s) + parse_duration(expires_in) if expires_in else None,
        passphrase=changed_passphrase(form),
    )


def _entered(form: Form, name: str, unchanged: str | None) -> str | None:
    return text_field(form, name) if name in form else unchanged
