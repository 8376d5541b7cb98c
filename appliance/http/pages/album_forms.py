"""Creating and managing albums by forms, which work without JavaScript."""

from collections.abc import Set
from dataclasses import replace

from aiohttp import hdrs, web

from appliance.albums import AlbumChanges, AlbumOptions, Contents, Move, moves_to
from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.access_keys import key_in
from appliance.domain.clients import Client
from appliance.domain.errors import (
    ApplianceError,
    GoneAlbum,
    InvalidField,
    MalformedRequest,
    MissingToken,
    UnknownAlbum,
    WrongToken,
)
from appliance.domain.tokens import MIN_KEY_CHARS, hash_secret
from appliance.domain.upload_options import parse_duration
from appliance.http.authentication import client_with_key, names_key
from appliance.http.banned import ban_of
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass, is_open
from appliance.http.delete_tokens import delay_wrong_tokens, token_in
from appliance.http.forms import Form, changed_passphrase, changed_text, entered_passphrase, read_form, text_field
from appliance.http.keys import ALBUMS, BACKGROUND_RENDERER, CLOCK, UPLOADERS
from appliance.http.links import album_path
from appliance.http.pages.album_handlers import gone_page, shared_album_page
from appliance.http.pages.album_pages import AlbumFormValues, AlbumPages, slugs_in
from appliance.http.pages.gone import DELETIONS, with_gone_page
from appliance.http.pages.html_responses import page_response, problem_page_response
from appliance.http.pages.lock_forms import locked_response
from appliance.http.pages.selection import form_cache, pages_of, wants_page
from appliance.http.passphrase_header import new_passphrase

WITH_ITS_IMAGES = "images"
"""The value of the form's expiry that ends the album with its last image."""
PLACE = "place-"
"""What the names of the fields for images' positions begin with, before the slug."""


async def show_creation(request: web.Request) -> web.Response:
    """GET /a"""
    pages = pages_of(request)
    if (ban := ban_of(request)) is not None:
        return page_response(pages.site.blocked_page(ban))
    return page_response(pages.albums.creation_page(user=client_of(request).user), cache=form_cache(request))


async def create(request: web.Request) -> web.Response:
    """POST /a: the form, without JavaScript"""
    form, pages = await read_form(request), pages_of(request).albums
    values = AlbumFormValues(
        text_field(form, "title"),
        text_field(form, "images"),
        text_field(form, "expires_in"),
        form_key=text_field(form, "form_key"),
        has_passphrase=bool(text_field(form, "passphrase")),
    )
    renderer = request.app[BACKGROUND_RENDERER]
    try:
        client = await _creator(request, form)
        passphrase = new_passphrase(request, entered_passphrase(form))
        options = AlbumOptions(
            images=tuple(slugs_in(values.links)),
            title=values.title,
            expires_in_s=parse_duration(values.expires_in) if values.expires_in else None,
            idempotency_key=_idempotency_key(values, passphrase),
            passphrase=passphrase,
        )
        with renderer.reserve(client.id):
            created = await request.app[ALBUMS].create(options, client)
            page = await renderer.run_in_turn(
                client.id, lambda: pages.created_page(created.contents, created.delete_token)
            )
    except ApplianceError as fault:
        again = pages.creation_page(fault, form_values=values, user=client_of(request).user)
        return problem_page_response(again, fault)
    response = page_response(page, status=201)
    response.headers[hdrs.LOCATION] = album_path(created.contents.album.slug)
    give_pass(request, response, created.contents.album)
    return response


async def _creator(request: web.Request, form: Form) -> Client:
    """The client, with an access key and a solved challenge in the form.

    Raises KeyInvalid, Busy, and as `Uploaders.require` does.
    """
    sent = (value for name, value in form.items() if isinstance(value, str) and names_key(name))
    key = next((key for text in sent if (key := key_in(text)) is not None), None)
    client = client_of(request) if key is None else await client_with_key(request, key)
    request.app[UPLOADERS].require(client)
    proof = text_field(form, "proof")
    return replace(client, proof=proof) if proof else client


def _idempotency_key(values: AlbumFormValues, passphrase: str | None) -> str | None:
    """The same for a form that is sent again, as by a reload; another one for other texts in the same, cached page."""
    if len(values.form_key) < MIN_KEY_CHARS:
        return None
    parts = (values.form_key, values.title, values.links, values.expires_in)
    return hash_secret("\n".join((*parts, passphrase) if passphrase else parts))


@with_gone_page(GoneAlbum, gone_page)
async def show_manage(request: web.Request) -> web.Response:
    """GET /a/{slug}/manage: the form; it changes nothing, and has no token"""
    return await shared_album_page(request, "manage", AlbumPages.manage_page)


@with_gone_page(GoneAlbum, gone_page)
async def show_created(request: web.Request) -> web.Response:
    """GET /a/{slug}/created: where scripts lead to with the manage link's token; the same as the reply to `POST /a`"""
    return await shared_album_page(request, "created", AlbumPages.created_page)


async def manage(request: web.Request) -> web.Response:
    """POST /a/{slug}/manage: the forms of the manage page and of the pages that follow it"""
    form = await read_form(request)
    with request.app[BACKGROUND_RENDERER].reserve(client_of(request).id):
        return await _manage(request, form)


async def _manage(request: web.Request, form: Form) -> web.Response:
    albums, pages, slug = request.app[ALBUMS], pages_of(request), request.match_info["slug"]
    _ = pages.language.gettext
    token, action = token_in(text_field(form, "token")), text_field(form, "action") or "save"
    try:
        if action in DELETIONS:
            async with delay_wrong_tokens(request):
                album = await albums.delete(slug, token, to_bin=action == "delete")
            _ended, until_s = await albums.ending(slug)
            return page_response(pages.albums.deleted_page(album, token, restorable_until_s=until_s))
        if action in ("undo", "restore"):
            async with delay_wrong_tokens(request):
                contents = await albums.change(slug, token, AlbumChanges(restore=True))
            return await _manage_response(request, contents, _("Album restored."), token)
        if action == "open":
            async with delay_wrong_tokens(request):
                await albums.owned(slug, token)
            return await _manage_response(request, await albums.show(slug), None, token)
        if action != "save":
            raise MalformedRequest("The form asks for an unknown action.")
        changes = _read_changes(form, request.app[CLOCK]())
        async with delay_wrong_tokens(request):
            contents = await albums.change(slug, token, changes, client=client_of(request))
    except UnknownAlbum:
        raise
    except ApplianceError as fault:
        return await _form_with_problem(request, slug, form, fault)
    return await _manage_response(request, contents, "" if changes == AlbumChanges() else _("Saved."), token)


async def _manage_response(request: web.Request, contents: Contents, notice: str | None, token: str) -> web.Response:
    pages = pages_of(request).albums
    page = await request.app[BACKGROUND_RENDERER].run_in_turn(
        client_of(request).id, lambda: pages.manage_page(contents, notice=notice, delete_token=token)
    )
    response = page_response(page)
    give_pass(request, response, contents.album)
    return response


def _read_changes(form: Form, now_s: float) -> AlbumChanges:
    removed = tuple(str(slug) for slug in form.getall("remove", []))
    return AlbumChanges(
        title=changed_text(form, "title"),
        description=changed_text(form, "description"),
        cover=changed_text(form, "cover") if text_field(form, "cover") not in removed else UNCHANGED,
        expires_s=_read_expiry(text_field(form, "expires_in"), now_s),
        add=tuple(slugs_in(text_field(form, "add"))),
        remove=removed,
        moves=_read_moves(form, frozenset(removed)),
        passphrase=changed_passphrase(form),
    )


def _read_expiry(expires_in: str, now_s: float) -> int | Unchanged | None:
    """A unix second; None to end with the last image."""
    if not expires_in:
        return UNCHANGED
    return None if expires_in == WITH_ITS_IMAGES else int(now_s) + parse_duration(expires_in)


def _read_moves(form: Form, removed: Set[str]) -> tuple[Move, ...]:
    """The images whose numbers were changed, each behind the one that has the next lower number and isn't removed.

    The form has the images in the order in which it was shown, numbered from 1; equal numbers keep this order. Raises
    InvalidField.
    """
    fields = [(name.removeprefix(PLACE), value) for name, value in form.items() if name.startswith(PLACE)]
    try:
        numbers = {slug: float(str(value)) for slug, value in fields}
    except ValueError as fault:
        raise InvalidField("Positions must be numbers. Images are sorted by them.") from fault
    moved = {slug for shown, (slug, number) in enumerate(numbers.items(), start=1) if number != shown}
    wanted = sorted((slug for slug in numbers if slug not in removed), key=numbers.__getitem__)
    return moves_to(wanted, moved)


async def _form_with_problem(request: web.Request, slug: str, form: Form, fault: ApplianceError) -> web.Response:
    """The form again, with the problem and what was entered; the gone page if the album has ended meanwhile."""
    try:
        contents: Contents = await request.app[ALBUMS].show(slug)
    except GoneAlbum:
        if not wants_page(request) or isinstance(fault, GoneAlbum):
            raise fault from None
        return problem_page_response(await gone_page(request, slug, fault), fault)
    if not await is_open(request, contents.album, token_in(text_field(form, "token"))):
        return locked_response(request, contents.album, fault)
    values = AlbumFormValues(
        text_field(form, "title"),
        text_field(form, "add"),
        text_field(form, "expires_in"),
        text_field(form, "description"),
    )
    token = "" if isinstance(fault, (MissingToken, WrongToken)) else text_field(form, "token")
    pages = pages_of(request).albums
    page = await request.app[BACKGROUND_RENDERER].run_in_turn(
        client_of(request).id,
        lambda: pages.manage_page(contents, problem=fault, form_values=values, delete_token=token),
    )
    return problem_page_response(page, fault)
