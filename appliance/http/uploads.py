"""Uploading: the API, the plain form, `curl -T`, and the Chevereto v1 shape. Each reads a body and asks `ingest`."""

import contextlib
from collections.abc import Iterator, Sequence

from aiohttp import hdrs, web

from appliance.config import Config
from appliance.errors import ApplianceError
from appliance.http.answers import json_answer
from appliance.http.bodies import BodyReader, Received, Refused, refuse_text_as_file
from appliance.http.callers import client_of
from appliance.http.clients import chevereto_upload
from appliance.http.heads import check_head
from appliance.http.html import Typed
from appliance.http.keys import CONFIG, INGEST, METRICS, RENDERING
from appliance.http.links import Links, share_path
from appliance.http.problems import headers_of, named, status_of
from appliance.http.requests import form_of, pages_of, wants_page
from appliance.http.resource import image_resource
from appliance.ingest import Accepted

MOST_FILES = 100
"""Of one form: what a person picks in a gallery at once."""
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
    """POST /: the upload page's form, without JavaScript, and a phone's gallery that shares pictures, one or several.

    A problem is told on the form itself; one of several is told beside those that were taken.
    """
    pages = pages_of(request)
    reader = _reader(request, most_files=MOST_FILES)
    try:
        accepted, refused = await _accept_all(request, reader)
        if not accepted:
            raise refused[0].fault
    except Exception as fault:
        if not wants_page(request):
            raise
        problem = named(fault)
        page = pages.upload_page(problem, typed=Typed(**reader.typed))
        headers = headers_of(problem)
        return web.Response(text=page, content_type="text/html", status=status_of(problem), headers=headers)
    if refused or reader.left_out or len(accepted) > 1:
        taken = [(each.image, each.delete_token) for each in accepted]
        page = await request.app[RENDERING].run(
            client_of(request).key, lambda: pages.uploaded_several_page(taken, refused, left_out=reader.left_out)
        )
        return web.Response(text=page, content_type="text/html", status=201, headers=UNPOSTED)
    page = pages.uploaded_page(accepted[0].image, accepted[0].delete_token)
    headers = {hdrs.LOCATION: share_path(accepted[0].image.slug), **UNPOSTED}
    return web.Response(text=page, content_type="text/html", status=201, headers=headers)


async def chevereto(request: web.Request) -> web.Response:
    """POST /api/1/upload: field `source`, for ShareX and its kin."""
    if request.content_type == "application/x-www-form-urlencoded":
        refuse_text_as_file("source", str((await form_of(request)).get("source", "")))
    accepted = await _accept(request, _reader(request, "source"))
    return json_answer(chevereto_upload(accepted.image, request.app[CONFIG], accepted.delete_token), headers=UNPOSTED)


def _reader(
    request: web.Request, file_field: str = "file", filename: str | None = None, most_files: int = 1
) -> BodyReader:
    config: Config = request.app[CONFIG]
    return BodyReader(
        request,
        request.app[INGEST],
        config.uploads,
        file_field,
        filename,
        client=client_of(request).key,
        most_files=most_files,
    )


async def _accept(request: web.Request, reader: BodyReader | None = None, filename: str | None = None) -> Accepted:
    reader = reader or _reader(request, filename=filename)
    with _refusals_counted(request):
        received = await reader.read()
        return await _take(request, received)


async def _accept_all(request: web.Request, reader: BodyReader) -> tuple[list[Accepted], list[Refused]]:
    """Each file of a form by itself, one after the other."""
    accepted: list[Accepted] = []
    refused: list[Refused] = []
    with _refusals_counted(request):
        received = await reader.read_all()
    for place, one in enumerate(received):
        try:
            with _refusals_counted(request):
                if isinstance(one, Refused):
                    raise one.fault
                accepted.append(await _take(request, one))
        except ApplianceError as fault:
            refused.append(one if isinstance(one, Refused) else Refused(one.options.filename, fault))
        except BaseException:
            await _discard(request, received[place + 1 :])
            raise
    return accepted, refused


async def _take(request: web.Request, received: Received) -> Accepted:
    accepted = await request.app[INGEST].accept(received.incoming, received.options, client_of(request).key)
    request.app[METRICS].uploads.labels("accepted").inc()
    request.app[METRICS].upload_bytes.inc(accepted.image.bytes)
    return accepted


async def _discard(request: web.Request, received: Sequence[Received | Refused]) -> None:
    for one in received:
        if isinstance(one, Received):
            await request.app[INGEST].discard(one.incoming)


@contextlib.contextmanager
def _refusals_counted(request: web.Request) -> Iterator[None]:
    try:
        yield
    except ApplianceError as fault:
        request.app[METRICS].uploads.labels(fault.code).inc()
        raise


async def continue_if_wanted(request: web.Request) -> None:
    """Expect: 100-continue: ask for the body only when it may be taken, so that a refusal comes before the bytes."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue" or request.transport is None:
        return
    with contextlib.suppress(ApplianceError):  # the handler meets it again, and tells it
        check_head(request)  # middlewares come later
        await _reader(request).check()
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
