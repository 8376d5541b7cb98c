"""Uploading through the API, the plain form, `curl -T` and the API of Chevereto. All pass their body to `Ingest`."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError
from appliance.http.api.chevereto import chevereto_upload
from appliance.http.api.chevereto_bodies import CheveretoFields, ReplyFormat, chevereto_body
from appliance.http.api.image_resource import image_resource
from appliance.http.api.images import image_headers
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass
from appliance.http.keys import BACKGROUND_RENDERER, CONFIG, FORM_LIMITS, INGEST
from appliance.http.links import Links, share_path
from appliance.http.pages.selection import pages_of, wants_page
from appliance.http.pages.site_pages import UploadFormValues
from appliance.http.problems import headers_of, status_of, to_named_error
from appliance.http.responses import json_answer
from appliance.http.resumable_draft import handlers as resumable_draft
from appliance.http.transport.form_bodies import FormBody
from appliance.http.transport.upload_bodies import RawBody, RequestBody
from appliance.uploads.committer import Accepted
from appliance.uploads.ingest import MAX_SKIPPED_BYTES, Refused

NO_STORE = {"Cache-Control": "no-store"}


async def create_image(request: web.Request) -> web.Response:
    """POST /api/v1/images: one request for the whole image, or the first of a resumable upload"""
    if resumable_draft.is_resumable(request):
        return await resumable_draft.create(request)
    accepted = await _accept(request)
    resource = image_resource(accepted.image, request.app[CONFIG], delete_token=accepted.delete_token)
    headers = {hdrs.LOCATION: share_path(accepted.image.slug), **image_headers(accepted.image)}
    return json_answer(resource, status=201, headers=headers)


async def put_file(request: web.Request) -> web.Response:
    """PUT /{filename}: responds with the share link as a line of text, and the manage link as a header"""
    accepted = await _accept(request, request.match_info.get("filename", ""))
    links, slug = Links.of(request.app[CONFIG]), accepted.image.slug
    headers = {hdrs.LOCATION: share_path(slug), "X-Manage-Link": links.manage(slug, accepted.delete_token)}
    return web.Response(text=links.share(slug) + "\n", status=201, headers=headers | NO_STORE)


async def post_form(request: web.Request) -> web.Response:
    """POST /: the upload page's form without JavaScript, and the share menu of a phone; one file or several

    If every file is refused, the form is shown again with the problem; otherwise the result page lists refused files.
    """

    async def form_page(problem: ApplianceError, values: UploadFormValues) -> str:
        return pages_of(request).site.upload_page(problem, form_values=values, user=client_of(request).user)

    return await answer_form(request, form_page)


FormPage = Callable[[ApplianceError, UploadFormValues], Awaitable[str]]
"""The page with the form again, a problem, and what was entered."""


async def answer_form(request: web.Request, form_page: FormPage, *, again: str = "/") -> web.Response:
    """Accept the files of a form; the page about them leads to the form, at `again`, for others."""
    pages, limits = pages_of(request), request.app[FORM_LIMITS]
    body = upload_body(request, max_files=limits.max_files, max_skipped_bytes=limits.max_skipped_bytes)
    try:
        outcomes = await request.app[INGEST].accept_each(body, client_of(request))
        accepted = _once([each for each in outcomes if isinstance(each, Accepted)])
        refused = [each for each in outcomes if isinstance(each, Refused)]
        if not accepted:
            raise refused[0].fault
    except Exception as fault:
        if not wants_page(request):
            raise
        problem = to_named_error(fault)
        page = await form_page(problem, UploadFormValues(**body.form_values))
        headers = headers_of(problem)
        return web.Response(text=page, content_type="text/html", status=status_of(problem), headers=headers)
    if refused or body.skipped or len(accepted) > 1:
        uploaded = [(each.image, each.delete_token) for each in accepted]
        page = await request.app[BACKGROUND_RENDERER].run_in_turn(
            client_of(request).id,
            lambda: pages.images.uploaded_several_page(uploaded, refused, skipped=body.skipped, again=again),
        )
        response = web.Response(text=page, content_type="text/html", status=201, headers=NO_STORE)
    else:
        page = pages.images.uploaded_page(accepted[0].image, accepted[0].delete_token, again=again)
        headers = {hdrs.LOCATION: share_path(accepted[0].image.slug), **NO_STORE}
        response = web.Response(text=page, content_type="text/html", status=201, headers=headers)
    for each in accepted:
        give_pass(request, response, each.image)
    return response


async def chevereto(request: web.Request) -> web.Response:
    """POST /api/1/upload: field `source`, as Chevereto v1 clients send it"""
    config, fields = request.app[CONFIG], CheveretoFields()
    body = chevereto_body(request, config.uploads, fields.translate)
    try:
        accepted = await request.app[INGEST].accept(body, client_of(request))
    except ApplianceError as fault:
        if fields.reply_format is not ReplyFormat.TXT:
            raise
        return web.Response(text=f"{fault.detail}\n", status=status_of(fault), headers=headers_of(fault))
    links, image = Links.of(config), accepted.image
    if fields.reply_format is ReplyFormat.TXT:
        return web.Response(text=links.file(image.slug, image.media_type), headers=NO_STORE)
    if fields.reply_format is ReplyFormat.REDIRECT:
        return web.Response(status=303, headers={hdrs.LOCATION: share_path(image.slug), **NO_STORE})
    return json_answer(chevereto_upload(image, config, accepted.delete_token), headers=NO_STORE)


def upload_body(
    request: web.Request, filename: str = "", *, max_files: int = 1, max_skipped_bytes: int = MAX_SKIPPED_BYTES
) -> RequestBody:
    """The request's body, which `Ingest` parses as it reads."""
    limits = request.app[CONFIG].uploads
    if request.content_type.startswith("multipart/"):
        return FormBody(request, limits, filename, max_files=max_files, max_skipped_bytes=max_skipped_bytes)
    return RawBody(request, limits, filename)


def _once(accepted: Sequence[Accepted]) -> list[Accepted]:
    """Each image once: a form may bring the same file twice."""
    return list({each.image.slug: each for each in accepted}.values())


async def _accept(request: web.Request, filename: str = "") -> Accepted:
    return await request.app[INGEST].accept(upload_body(request, filename), client_of(request))
