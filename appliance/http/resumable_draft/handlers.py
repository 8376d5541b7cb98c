"""The IETF's resumable uploads: a POST of an image creates one, and its own address continues, shows and cancels it."""

from dataclasses import replace

from aiohttp import HttpVersion11, hdrs, web

from appliance.domain import tokens
from appliance.domain.errors import (
    ApplianceError,
    Busy,
    ChecksumMismatch,
    DigestMismatch,
    GoneUpload,
    LimitReached,
    MalformedRequest,
    OffsetMismatch,
    UploadLocked,
    UploadPaused,
)
from appliance.domain.resumable_uploads import UploadKind, UploadState
from appliance.domain.upload_options import clean_filename
from appliance.http.api.image_resource import image_resource, upload_state
from appliance.http.client_address import client_of
from appliance.http.cors import preflight
from appliance.http.keys import CLOCK, CONFIG, RESUMABLE
from appliance.http.links import resumable_upload_path, share_path
from appliance.http.problems import problem_response
from appliance.http.responses import json_answer
from appliance.http.resumable_draft import headers as draft
from appliance.http.resumable_draft.versions import FIELD, named_version
from appliance.http.transport.content_digest import content_checksums
from appliance.http.transport.expect_continue import ask_for_body
from appliance.http.transport.request_heads import refuse_encoded
from appliance.http.transport.resumable_bodies import announced_bytes, received
from appliance.http.transport.upload_bodies import parse_query_options
from appliance.resumable import NewUpload, Progress, UploadChunk

NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
PROBLEM_TYPES = {
    "offset-mismatch": "mismatching-upload-offset",
    "inconsistent-upload-length": "inconsistent-upload-length",
    "completed-upload": "completed-upload",
}
"""The error codes that the draft has a problem type for."""


def is_resumable(request: web.Request) -> bool:
    """Whether a POST of an image is a resumable upload. Forms never are, nor a whole file with an Idempotency-Key."""
    is_last = draft.completeness(request)
    if is_last is None or request.content_type.startswith("multipart/"):
        return False
    return not is_last or "Idempotency-Key" not in request.headers


async def show_options(request: web.Request) -> web.Response:
    """OPTIONS /api/v1/images: that and how far resumable uploads are supported; also CORS preflights"""
    response = await preflight(request)
    limits = draft.limit_headers(draft.version_of(request), request.app[CONFIG].uploads.max_bytes)
    response.headers.update({"Accept-Patch": draft.MEDIA_TYPE} | limits)
    return response


async def create(request: web.Request) -> web.Response:
    """POST /api/v1/images with Upload-Complete"""
    upload_id: str | None = None
    try:
        wanted, resumable = _parse_creation(request), request.app[RESUMABLE]
        chunk = _chunk(request, wanted.length)
        if _accepts_announcement(request):
            upload_id, progress = await resumable.create(wanted)
            _announce(request, upload_id, progress)
            progress = await resumable.append(upload_id, 0, chunk)
        else:
            upload_id, progress = await resumable.create_with(wanted, chunk)
        return await _show_progress(request, upload_id, progress, status=201)
    except ApplianceError as fault:
        return await _show_problem(request, fault, upload_id)


async def show_offset(request: web.Request) -> web.Response:
    """HEAD /api/v1/resumable-uploads/{id}"""
    upload_id = request.match_info["id"]
    try:
        progress = await request.app[RESUMABLE].head(upload_id)
    except ApplianceError as fault:
        return await _show_problem(request, fault, upload_id)
    return web.Response(status=204, headers=_headers(request, progress))


async def append(request: web.Request) -> web.Response:
    """PATCH /api/v1/resumable-uploads/{id}"""
    upload_id = request.match_info["id"]
    try:
        draft.check_media_type(request)
        refuse_encoded(request)
        offset = draft.parse_integer(request, draft.OFFSET)
        if offset is None:
            raise MalformedRequest("Send Upload-Offset with the position of these bytes.")
        length = draft.parse_length(request, offset, is_last=_is_last(request))
        progress = await request.app[RESUMABLE].append(upload_id, offset, _chunk(request, length))
        return await _show_progress(request, upload_id, progress, status=draft.version_of(request).appended)
    except ApplianceError as fault:
        return await _show_problem(request, fault, upload_id)


async def cancel(request: web.Request) -> web.Response:
    """DELETE /api/v1/resumable-uploads/{id}"""
    upload_id = request.match_info["id"]
    try:
        await request.app[RESUMABLE].terminate(upload_id)
    except ApplianceError as fault:
        return await _show_problem(request, fault, upload_id)
    return web.Response(status=204, headers=NO_STORE)


async def show_state(request: web.Request) -> web.Response:
    """GET /api/v1/resumable-uploads/{id}: what a client needs whose connection broke before the last response"""
    upload_id = request.match_info["id"]
    progress = await request.app[RESUMABLE].state(upload_id)
    return json_answer(upload_state(progress, request.app[CONFIG], upload_id), headers=NO_STORE)


# --- requests ---------------------------------------------------------------------------------------------------------


def _parse_creation(request: web.Request) -> NewUpload:
    """Raises MalformedRequest, EncodedBody, InconsistentLength, InvalidField, InvalidExpiry."""
    refuse_encoded(request)
    if "Idempotency-Key" in request.headers:
        raise MalformedRequest(
            "An upload in several requests can't have an Idempotency-Key, and is never stored twice. Leave it out."
        )
    options = parse_query_options(request, request.app[CONFIG].uploads.max_expiry_days)
    filename = options.filename or clean_filename(draft.parse_filename(request))
    length = draft.parse_length(request, 0, is_last=_is_last(request))
    with_bytes = request.body_exists and request.content_length != 0
    return NewUpload(
        client_of(request),
        UploadKind.PLAIN,
        length,
        replace(options, filename=filename),
        with_bytes=with_bytes,
        is_open=True,
    )


def _is_last(request: web.Request) -> bool:
    """Whether the upload ends with this request. Raises MalformedRequest for one that doesn't say."""
    version, is_last = draft.version_of(request), draft.completeness(request)
    if is_last is not None:
        return is_last
    if version.is_inverted:  # which may be left out of the last request
        return True
    raise MalformedRequest(f"Send {version.completeness}: ?1 with the last bytes of the file, or ?0 with others.")


def _chunk(request: web.Request, length: int | None) -> UploadChunk:
    return UploadChunk(
        client_of(request),
        received(request, request.app[CONFIG].uploads),
        announced_bytes(request),
        content_checksums(request),
        length=length,
        is_last=_is_last(request),
    )


# --- responses --------------------------------------------------------------------------------------------------------


def _accepts_announcement(request: web.Request) -> bool:
    """Whether the client reads 104 responses of the version that it names."""
    return named_version(request) is not None and request.version >= HttpVersion11 and request.transport is not None


def _announce(request: web.Request, upload_id: str, progress: Progress) -> None:
    """Tell the client where to resume, before its bytes are read."""
    ask_for_body(request)
    version, transport = draft.version_of(request), request.transport
    headers = {hdrs.LOCATION: resumable_upload_path(upload_id), FIELD: str(version.number)}
    if transport is not None:
        transport.write(draft.informational_response(headers | _limits(request, progress)))


async def _show_progress(request: web.Request, upload_id: str, progress: Progress, *, status: int) -> web.Response:
    """The image, once it is complete, as any upload's response shows it; until then how far the upload is."""
    if not progress.complete:
        location = {hdrs.LOCATION: resumable_upload_path(upload_id)} if request.method == hdrs.METH_POST else {}
        return web.Response(status=status, headers=_headers(request, progress) | location)
    progress = await request.app[RESUMABLE].settled(upload_id)
    if progress.image is None:
        raise GoneUpload
    slug = progress.image.slug
    resource = image_resource(progress.image, request.app[CONFIG], delete_token=tokens.derive_token(upload_id, slug))
    return json_answer(resource, status=201, headers=_headers(request, progress) | {hdrs.LOCATION: share_path(slug)})


async def _show_problem(request: web.Request, fault: ApplianceError, upload_id: str | None) -> web.Response:
    """The error, and what the draft wants to be known of the upload next to it, as far as it is safe."""
    fault = _without_tus_statuses(fault)
    progress = await _progress_after(request, upload_id)
    is_unfinished = progress is not None and progress.upload.state is UploadState.RECEIVING
    if is_unfinished and isinstance(fault, LimitReached):  # nothing is resumed after a 4xx
        fault = Busy(fault.detail, limit=fault.limit, actual=fault.actual, retry_after_s=fault.retry_after_s)
    members: dict[str, object] = {}
    if fault.code in PROBLEM_TYPES:
        members["type"] = f"https://iana.org/assignments/http-problem-types#{PROBLEM_TYPES[fault.code]}"
    if isinstance(fault, OffsetMismatch):
        members |= {"expected-offset": fault.limit, "provided-offset": fault.actual}
    response = problem_response(request, fault, members)
    response.headers.update(_headers_after(request, None if _is_unsafe(request, progress) else progress))
    return response


def _is_unsafe(request: web.Request, progress: Progress | None) -> bool:
    """Whether a reply must not count the upload's bytes: among nodes they wouldn't survive the loss of this one yet.

    All of them are here, but they are no image. A client of the draft may forget what was counted.
    """
    return request.app[CONFIG].is_node and progress is not None and progress.state == "processing"


def _without_tus_statuses(fault: ApplianceError) -> ApplianceError:
    """The error, in place of one whose status only clients of tus understand: those of the draft resume after a 5xx."""
    if isinstance(fault, ChecksumMismatch):
        return DigestMismatch()
    if isinstance(fault, (UploadLocked, UploadPaused)):
        return Busy(fault.detail, retry_after_s=fault.retry_after_s)
    return fault


async def _progress_after(request: web.Request, upload_id: str | None) -> Progress | None:
    """How far the upload is after an error; None where there is none, or it is gone."""
    if upload_id is None:
        return None
    try:
        return await request.app[RESUMABLE].state(upload_id)
    except ApplianceError:
        return None


def _headers_after(request: web.Request, progress: Progress | None) -> dict[str, str]:
    """The headers that tell how far an upload is after an error; without an upload only the limits."""
    if progress is not None:
        return _headers(request, progress)
    limits = draft.limit_headers(draft.version_of(request), request.app[CONFIG].uploads.max_bytes)
    return limits | {"Access-Control-Expose-Headers": draft.EXPOSED}


def _headers(request: web.Request, progress: Progress) -> dict[str, str]:
    headers = draft.progress_headers(draft.version_of(request), progress) | _limits(request, progress)
    return headers | NO_STORE | {"Access-Control-Expose-Headers": draft.EXPOSED}


def _limits(request: web.Request, progress: Progress) -> dict[str, str]:
    lifetime_s = progress.upload.expires_s - int(request.app[CLOCK]())
    return draft.limit_headers(draft.version_of(request), request.app[CONFIG].uploads.max_bytes, lifetime_s)
