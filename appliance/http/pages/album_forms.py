"""Making and managing albums by forms, which need no script."""

from aiohttp import hdrs, web

from appliance.albums import AlbumChanges, AlbumOptions, Contents
from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.errors import (
    ApplianceError,
    GoneAlbum,
    InvalidField,
    MalformedRequest,
    MissingToken,
    UnknownAlbum,
    WrongToken,
)
from appliance.domain.upload_options import parse_duration
from appliance.http.client_address import client_of
from appliance.http.keys import ALBUMS, CLOCK, RENDERING
from appliance.http.links import album_path
from appliance.http.pages.album_render import Typed, slugs_in
from appliance.http.pages.albums import album_pages_of, gone, page_response
from appliance.http.pages.gone import with_gone_page
from appliance.http.problems import headers_of, status_of
from appliance.http.requests import Form, form_of, pages_of, patience, wants_page
from appliance.lifecycle.management import UNDO_S

AS_LONG_AS_ITS_IMAGES = "images"


def _problem_page(text: str, fault: ApplianceError) -> web.Response:
    response = page_response(text, status=status_of(fault))
    response.headers.update(headers_of(fault))
    return response


async def show_new(request: web.Request) -> web.Response:
    """GET /a"""
    response = page_response(album_pages_of(request).new_page())
    response.headers[hdrs.CACHE_CONTROL] = "private, max-age=300"  # nobody's yet, but in one language
    return response


async def make(request: web.Request) -> web.Response:
    """POST /a: the form, without JavaScript"""
    form, pages = await form_of(request), album_pages_of(request)
    typed = Typed(_field(form, "title"), _field(form, "images"), _field(form, "expires_in"))
    rendering, client = request.app[RENDERING], client_of(request).key
    try:
        wishes = AlbumOptions(
            images=tuple(slugs_in(typed.links)),
            title=typed.title,
            expires_in_s=parse_duration(typed.expires_in) if typed.expires_in else None,
        )
        with rendering.place(client):
            made = await request.app[ALBUMS].create(wishes)
            page = await rendering.run(client, lambda: pages.made_page(made.contents, made.delete_token))
    except ApplianceError as fault:
        return _problem_page(pages.new_page(fault, typed=typed), fault)
    response = page_response(page, status=201)
    response.headers[hdrs.LOCATION] = album_path(made.contents.album.slug)
    return response


@with_gone_page(GoneAlbum, gone)
async def show_manage(request: web.Request) -> web.Response:
    """GET /a/{slug}/manage: the form; it changes nothing"""
    contents, pages = await request.app[ALBUMS].show(request.match_info["slug"]), album_pages_of(request)
    key = ("manage", pages.key(contents))
    page = await request.app[RENDERING].kept(client_of(request).key, key, lambda: pages.manage_page(contents).encode())
    return page_response(page)


async def manage(request: web.Request) -> web.Response:
    """POST /a/{slug}/manage: the forms of the manage page and of the pages that follow it"""
    form = await form_of(request)
    with request.app[RENDERING].place(client_of(request).key):
        return await _manage(request, form)


async def _manage(request: web.Request, form: Form) -> web.Response:
    albums, pages, slug = request.app[ALBUMS], album_pages_of(request), request.match_info["slug"]
    said = pages_of(request).language
    token, action = _field(form, "token").strip().rpartition("#")[2], _field(form, "action") or "save"
    try:
        if action == "delete":
            async with patience(request):
                album = await albums.delete(slug, token)
            return page_response(pages.deleted_page(album, token, undo_s=UNDO_S))
        if action in ("undo", "restore"):
            async with patience(request):
                contents = await albums.change(slug, token, AlbumChanges(restore=True))
            return await _managed(request, contents, said.gettext("Album restored."), token)
        if action != "save":
            raise MalformedRequest("The form asks for an unknown action.")
        changes = _changes(form, request.app[CLOCK]())
        async with patience(request):
            contents = await albums.change(slug, token, changes)
    except UnknownAlbum:
        raise
    except ApplianceError as fault:
        return await _told_on_form(request, slug, form, fault)
    return await _managed(request, contents, said.gettext("Saved."), token)


async def _managed(request: web.Request, contents: Contents, notice: str, token: str) -> web.Response:
    pages = album_pages_of(request)
    return page_response(
        await request.app[RENDERING].run(
            client_of(request).key, lambda: pages.manage_page(contents, notice=notice, delete_token=token)
        )
    )


def _changes(form: Form, now_s: float) -> AlbumChanges:
    return AlbumChanges(
        title=_field(form, "title") if "title" in form else UNCHANGED,
        expires_s=_expiry(_field(form, "expires_in"), now_s),
        add=tuple(slugs_in(_field(form, "add"))),
        remove=tuple(str(slug) for slug in form.getall("remove", [])),
        order=_order(form),
    )


def _expiry(wished: str, now_s: float) -> int | Unchanged | None:
    if not wished:
        return UNCHANGED
    return None if wished == AS_LONG_AS_ITS_IMAGES else int(now_s) + parse_duration(wished)


def _order(form: Form) -> tuple[str, ...]:
    """The images by their numbers, those of the same number as they stand in the form, without those to be removed.

    Raises InvalidField.
    """
    places: list[tuple[float, str]] = []
    removed = set(form.getall("remove", []))
    for name, value in form.items():
        slug = name.removeprefix("place-")
        if slug == name or slug in removed:
            continue
        try:
            places.append((float(str(value)), slug))
        except ValueError as fault:
            raise InvalidField("Positions must be numbers. Images are sorted by them.") from fault
    return tuple(slug for _, slug in sorted(places, key=lambda place: place[0]))


async def _told_on_form(request: web.Request, slug: str, form: Form, fault: ApplianceError) -> web.Response:
    """A mistake is told where it was made, with what was typed, as long as the album is there to be managed."""
    try:
        contents: Contents = await request.app[ALBUMS].show(slug)
    except GoneAlbum:
        if not wants_page(request) or isinstance(fault, GoneAlbum):
            raise fault from None
        return _problem_page(await gone(request, slug, fault), fault)
    typed = Typed(_field(form, "title"), _field(form, "add"), _field(form, "expires_in"))
    token = "" if isinstance(fault, (MissingToken, WrongToken)) else _field(form, "token")
    pages = album_pages_of(request)
    page = await request.app[RENDERING].run(
        client_of(request).key, lambda: pages.manage_page(contents, problem=fault, typed=typed, delete_token=token)
    )
    return _problem_page(page, fault)


def _field(form: Form, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
