"""Uploading: the API, the plain form, `curl -T`, and the Chevereto v1 shape. Each hands its body to `ingest`."""

from aiohttp import hdrs, web

from appliance.http.api.image_resource import image_resource
from appliance.http.api.integrations import chevereto_upload
from appliance.http.client_address import client_of
from appliance.http.keys import CONFIG, INGEST, RENDERING
from appliance.http.links import Links, share_path
from appliance.http.pages.render import Typed
from appliance.http.problems import headers_of, named, status_of
from appliance.http.requests import form_of, pages_of, wants_page
from appliance.http.responses import json_answer
from appliance.http.transport.upload_bodies import FormBody, RawBody, refuse_text_as_file
from appliance.uploads.admission import AdmissionRequest
from appliance.uploads.committer import Accepted
from appliance.uploads.ingest import Refused

MAX_FILES = 100
"""Of one form: what a person picks in a gallery at once."""
UNPOSTED = {"Cache-Control": "no-store"}


async def create_image(request: web.Request) -> web.Response:
    """POST /api/v1/images"""
    accepted = await _accept(request)
    resource = image_resource(accepted.image, request.app[CONFIG], delete_token=accepted.delete_token)
    return json_answer(resource, status=201, headers={hdrs.LOCATION: share_path(accepted.image.slug), **UNPOSTED})


async def put_file(request: web.Request) -> web.Response:
    """PUT /{filename}: the share link as a line of text, the manage link as a header."""
    accepted = await _accept(request, request.match_info.get("filename", ""))
    links, slug = Links.of(request.app[CONFIG]), accepted.image.slug
    headers = {hdrs.LOCATION: share_path(slug), "X-Manage-Link": links.managing(slug, accepted.delete_token)}
    return web.Response(text=links.share(slug) + "\n", status=201, headers=headers | UNPOSTED)


async def post_form(request: web.Request) -> web.Response:
    """POST /: the upload page's form, without JavaScript, and a phone's gallery that shares pictures, one or several.

    A problem is told on the form itself; one of several is told beside those that were taken.
    """
    pages = pages_of(request)
    body = upload_body(request, max_files=MAX_FILES)
    try:
        outcomes = await request.app[INGEST].accept_each(body, client_of(request))
        accepted = [each for each in outcomes if isinstance(each, Accepted)]
        refused = [each for each in outcomes if isinstance(each, Refused)]
        if not accepted:
            raise refused[0].fault
    except Exception as fault:
        if not wants_page(request):
            raise
        problem = named(fault)
        page = pages.upload_page(problem, typed=Typed(**body.typed))
        headers = headers_of(problem)
        return web.Response(text=page, content_type="text/html", status=status_of(problem), headers=headers)
    if refused or body.left_out or len(accepted) > 1:
        taken = [(each.image, each.delete_token) for each in accepted]
        page = await request.app[RENDERING].run(
            client_of(request).key, lambda: pages.uploaded_several_page(taken, refused, left_out=body.left_out)
        )
        return web.Response(text=page, content_type="text/html", status=201, headers=UNPOSTED)
    page = pages.uploaded_page(accepted[0].image, accepted[0].delete_token)
    headers = {hdrs.LOCATION: share_path(accepted[0].image.slug), **UNPOSTED}
    return web.Response(text=page, content_type="text/html", status=201, headers=headers)


async def chevereto(request: web.Request) -> web.Response:
    """POST /api/1/upload: field `source`, for ShareX and its kin."""
    if request.content_type == "application/x-www-form-urlencoded":
        refuse_text_as_file("source", str((await form_of(request)).get("source", "")))
    accepted = await _accept(request, file_field="source")
    return json_answer(chevereto_upload(accepted.image, request.app[CONFIG], accepted.delete_token), headers=UNPOSTED)


def upload_body(
    request: web.Request, filename: str = "", *, file_field: str = "file", max_files: int = 1
) -> RawBody | FormBody:
    """The request's body, to be parsed when `ingest` reads it."""
    limits = request.app[CONFIG].uploads
    if request.content_type.startswith("multipart/"):
        return FormBody(request, limits, filename, file_field=file_field, max_files=max_files)
    return RawBody(request, limits, filename)


def offered(request: web.Request) -> AdmissionRequest:
    """What a request brings, as its head tells it. Raises as `UploadBody.offer` does."""
    return upload_body(request).admission_request(client_of(request))


async def _accept(request: web.Request, filename: str = "", file_field: str = "file") -> Accepted:
    body = upload_body(request, filename, file_field=file_field)
    return await request.app[INGEST].accept(body, client_of(request))
