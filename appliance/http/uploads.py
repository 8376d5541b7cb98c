"""Uploading: the API, the plain form, `curl -T`, and the Chevereto v1 shape. Each reads a body and asks `ingest`."""

import contextlib

from aiohttp import hdrs, web

from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.http.answers import json_answer
from appliance.http.bodies import BodyReader, refuse_text_as_file
from appliance.http.clients import chevereto_upload
from appliance.http.html import Typed
from appliance.http.keys import CONFIG, INGEST, METRICS, PAGES
from appliance.http.links import Links, share_path
from appliance.http.problems import headers_of, named, status_of
from appliance.http.requests import form_of, wants_page
from appliance.http.resource import image_resource
from appliance.ingest import Accepted

UNPOSTED = {"Cache-Control": "no-store"}


async def create_image(request: web.Request) -> web.Response:
    """POST /api/v1/images"""
    accepted = await _accept(request)
    resource = image_resource(accepted.image, request.app[CONFIG], delete_token=accepted.delete_token)
    return json_answer(resource, status=201, headers={hdrs.LOCATION: share_path(accepted.image.slug), **UNPOSTED})


async def put_file(request: web.Request) -> web.Response:
    """PUT /{filename}: the share link as a line of text, the manage link as a header."""
    accepted = await _accept(request, filename=request.match_info.get("filename"))
    links, slug = Links.of(request.app[CONFIG]), accepted.image.slug
    headers = {hdrs.LOCATION: share_path(slug), "X-Manage-Link": links.managing(slug, accepted.delete_token)}
    return web.Response(text=links.share(slug) + "\n", status=201, headers=headers | UNPOSTED)


async def post_form(request: web.Request) -> web.Response:
    """POST /: the upload page's form, without JavaScript. A problem is told on the form itself."""
    pages = request.app[PAGES]
    reader = _reader(request)
    try:
        accepted = await _accept(request, reader)
    except Exception as fault:
        if not wants_page(request):
            raise
        problem = named(fault)
        page = pages.upload_page(problem.detail, typed=Typed(**reader.typed))
        headers = headers_of(problem)
        return web.Response(text=page, content_type="text/html", status=status_of(problem), headers=headers)
    page = pages.uploaded_page(accepted.image, accepted.delete_token)
    headers = {hdrs.LOCATION: share_path(accepted.image.slug), **UNPOSTED}
    return web.Response(text=page, content_type="text/html", status=201, headers=headers)


async def chevereto(request: web.Request) -> web.Response:
    """POST /api/1/upload: field `source`, for ShareX and its kin."""
    if request.content_type == "application/x-www-form-urlencoded":
        refuse_text_as_file("source", str((await form_of(request)).get("source", "")))
    accepted = await _accept(request, _reader(request, "source"))
    return json_answer(chevereto_upload(accepted.image, request.app[CONFIG], accepted.delete_token), headers=UNPOSTED)


def _reader(request: web.Request, file_field: str = "file", filename: str | None = None) -> BodyReader:
    config: Config = request.app[CONFIG]
    return BodyReader(request, request.app[INGEST], config.uploads, file_field, filename)


async def _accept(request: web.Request, reader: BodyReader | None = None, filename: str | None = None) -> Accepted:
    reader = reader or _reader(request, filename=filename)
    metrics, ingest = request.app[METRICS], request.app[INGEST]
    try:
        received = await reader.read()
        accepted = await ingest.accept(received.incoming, received.wishes)
    except ApplianceError as fault:
        metrics.uploads.labels(fault.code).inc()
        raise
    metrics.uploads.labels("accepted").inc()
    metrics.upload_bytes.inc(accepted.image.bytes)
    return accepted


async def continue_if_wanted(request: web.Request) -> None:
    """Expect: 100-continue: ask for the body only when it may be taken, so that a refusal comes before the bytes."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue" or request.transport is None:
        return
    with contextlib.suppress(ApplianceError):  # the handler meets it again, and tells it
        await _reader(request).check()
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
