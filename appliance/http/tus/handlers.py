"""Resumable uploads: the methods of tus 1.0.0, and an upload's state as JSON."""

from aiohttp import hdrs, web

from appliance.config.model import Config
from appliance.domain.errors import FinalUpload, MalformedRequest, MethodNotAllowed
from appliance.domain.resumable_uploads import UploadKind, UploadState
from appliance.http.api.image_resource import upload_state
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass
from appliance.http.cors import ALLOWED_METHODS, DAY_S
from appliance.http.keys import CONFIG, RESUMABLE
from appliance.http.links import share_path, upload_path
from appliance.http.responses import json_answer
from appliance.http.transport.request_heads import refuse_encoded, refuse_partial
from appliance.http.transport.resumable_bodies import announced_bytes, received
from appliance.http.tus import headers as tus
from appliance.resumable import NewUpload, Progress, UploadChunk
from appliance.spool import ALGORITHMS

NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}


async def show_options(request: web.Request) -> web.Response:
    """OPTIONS /api/v1/uploads and /api/v1/uploads/{id}: the supported tus features; also CORS preflights"""
    headers = {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(request.app[CONFIG].uploads.max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": tus.ALLOWED,
        "Access-Control-Max-Age": str(DAY_S),
    }
    return web.Response(status=204, headers=headers)


async def create(request: web.Request) -> web.Response:
    """POST /api/v1/uploads"""
    tus.check_version(request)
    refuse_encoded(request)
    refuse_partial(request)
    wanted, resumable = _parse_creation(request), request.app[RESUMABLE]
    if wanted.with_bytes:
        tus.check_media_type(request)
    sent = _body(request)
    upload_id, progress = await (resumable.create_with(wanted, sent) if wanted.with_bytes else resumable.create(wanted))
    headers = _progress_headers(progress) | {hdrs.LOCATION: upload_path(upload_id)}
    return web.Response(status=201, headers=headers)


def _parse_creation(request: web.Request) -> NewUpload:
    concat, length = request.headers.get("Upload-Concat", ""), tus.parse_number(request, "Upload-Length")
    deferred, with_bytes = tus.is_deferred(request), request.body_exists and request.content_length != 0
    if concat.startswith("final"):
        if length is not None or deferred:
            raise MalformedRequest("The length of a final upload comes from its parts. Leave out Upload-Length.")
        if with_bytes:
            raise FinalUpload("This upload is assembled from parts and accepts no data of its own.")
    elif concat not in ("", "partial"):
        raise MalformedRequest("Upload-Concat must be “partial”, or “final;” followed by the links of partial uploads.")
    elif (length is None) is not deferred:
        raise MalformedRequest("Send Upload-Length, or Upload-Defer-Length: 1.")
    kind = UploadKind.PARTIAL if concat == "partial" else UploadKind.FINAL if concat else UploadKind.PLAIN
    options = tus.parse_upload_options(request, request.app[CONFIG].uploads.max_expiry_days)
    metadata = tus.recorded_metadata(request)
    return NewUpload(client_of(request), kind, length, options, metadata, concat, with_bytes)


async def handle_upload(request: web.Request) -> web.Response:
    """HEAD, PATCH, DELETE and GET /api/v1/uploads/{id}; a POST may name one of these in X-HTTP-Method-Override"""
    method = tus.method_of(request)
    if method == hdrs.METH_GET:
        return await _show_state(request)
    tus.check_version(request)
    if method == hdrs.METH_HEAD:
        return await _head(request)
    if method == hdrs.METH_PATCH:
        return await _patch(request)
    if method == hdrs.METH_DELETE:
        await request.app[RESUMABLE].terminate(request.match_info["id"])
        return web.Response(status=204, headers=NO_STORE)
    raise MethodNotAllowed("Uploads accept HEAD, PATCH, DELETE and GET.")


async def _head(request: web.Request) -> web.Response:
    progress = await request.app[RESUMABLE].head(request.match_info["id"])
    upload, headers = progress.upload, _progress_headers(progress)
    if upload.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.length)
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    if upload.concat:
        headers["Upload-Concat"] = upload.concat
    return web.Response(status=200, headers=headers)


async def _patch(request: web.Request) -> web.Response:
    tus.check_media_type(request)
    refuse_encoded(request)
    offset = tus.parse_number(request, "Upload-Offset")
    if offset is None:
        raise MalformedRequest("Send Upload-Offset with the position of these bytes.")
    progress = await request.app[RESUMABLE].append(request.match_info["id"], offset, _body(request))
    return web.Response(status=204, headers=_progress_headers(progress))


async def _show_state(request: web.Request) -> web.Response:
    upload_id, config = request.match_info["id"], request.app[CONFIG]
    progress = await request.app[RESUMABLE].state(upload_id)
    response = json_answer(upload_state(progress, config, upload_id), headers=NO_STORE)
    if progress.image is not None:
        give_pass(request, response, progress.image)
    return response


def _progress_headers(progress: Progress) -> dict[str, str]:
    upload, headers = progress.upload, dict(NO_STORE)
    assembling = upload.kind is UploadKind.FINAL and upload.state is UploadState.RECEIVING
    if not assembling:
        headers["Upload-Offset"] = str(progress.offset)
    if upload.state is UploadState.RECEIVING and progress.state != "processing":
        headers["Upload-Expires"] = tus.http_date(upload.expires_s)
    if upload.slug is not None and (progress.complete or assembling):
        headers[hdrs.CONTENT_LOCATION] = share_path(upload.slug)
    return headers


def _body(request: web.Request) -> UploadChunk:
    config: Config = request.app[CONFIG]
    return UploadChunk(
        client_of(request),
        received(request, config.uploads),
        announced_bytes(request),
        tus.parse_checksums(request),
        tus.parse_number(request, "Upload-Length"),
    )
