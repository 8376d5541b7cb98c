"""Errors as responses: the table from errors to statuses, and the forms of an error response.

Programs get RFC 9457 problem details, browsers get a page, image elements a drawing, and `curl -T` gets a line of text.
The text of an unexpected exception is never shown.
"""

import logging
from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from appliance.domain import errors
from appliance.domain.errors import ApplianceError
from appliance.http.api.chevereto import chevereto_error
from appliance.http.keys import REQUEST_ID
from appliance.http.localization.formatting import rfc3339
from appliance.http.missing_image import is_embedded, missing_image_response
from appliance.http.pages.selection import pages_of, wants_page
from appliance.http.rate_limit_headers import rate_limit_headers
from appliance.http.responses import json_answer

log = logging.getLogger(__name__)


class TusStatus(IntEnum):
    """Statuses that only tus defines."""

    CHECKSUM_MISMATCH = 460


STATUSES: dict[type[ApplianceError], HTTPStatus | TusStatus] = {
    errors.MalformedRequest: HTTPStatus.BAD_REQUEST,
    errors.MissingFile: HTTPStatus.BAD_REQUEST,
    errors.EmptyUpload: HTTPStatus.BAD_REQUEST,
    errors.InvalidField: HTTPStatus.BAD_REQUEST,
    errors.NoImageLink: HTTPStatus.BAD_REQUEST,
    errors.UnavailableImages: HTTPStatus.BAD_REQUEST,
    errors.InvalidExpiry: HTTPStatus.BAD_REQUEST,
    errors.InvalidGuestLinkExpiry: HTTPStatus.BAD_REQUEST,
    errors.IncompleteUpload: HTTPStatus.BAD_REQUEST,
    errors.DigestMismatch: HTTPStatus.BAD_REQUEST,
    errors.PartialUpload: HTTPStatus.BAD_REQUEST,
    errors.RemoteUrlRefused: HTTPStatus.BAD_REQUEST,
    errors.IdempotencyKeyInvalid: HTTPStatus.BAD_REQUEST,
    errors.TooManyImages: HTTPStatus.BAD_REQUEST,
    errors.InvalidImageRequest: HTTPStatus.BAD_REQUEST,
    errors.MissingToken: HTTPStatus.UNAUTHORIZED,
    errors.KeyRequired: HTTPStatus.UNAUTHORIZED,
    errors.KeyInvalid: HTTPStatus.UNAUTHORIZED,
    errors.KeyExpired: HTTPStatus.UNAUTHORIZED,
    errors.KeyRevoked: HTTPStatus.UNAUTHORIZED,
    errors.KeyRotated: HTTPStatus.UNAUTHORIZED,
    errors.KeyScope: HTTPStatus.FORBIDDEN,
    errors.Banned: HTTPStatus.FORBIDDEN,
    errors.KeyUsedUp: HTTPStatus.FORBIDDEN,
    errors.KeyImagesUsedUp: HTTPStatus.FORBIDDEN,
    errors.KeyBytesUsedUp: HTTPStatus.FORBIDDEN,
    errors.SignInRequired: HTTPStatus.FORBIDDEN,
    errors.Locked: HTTPStatus.UNAUTHORIZED,
    errors.AllLocked: HTTPStatus.UNAUTHORIZED,
    errors.BeingViewed: HTTPStatus.CONFLICT,
    errors.WrongPassphrase: HTTPStatus.FORBIDDEN,
    errors.TooManyGuesses: HTTPStatus.TOO_MANY_REQUESTS,
    errors.WrongToken: HTTPStatus.FORBIDDEN,
    errors.UnknownImage: HTTPStatus.NOT_FOUND,
    errors.UnknownAlbum: HTTPStatus.NOT_FOUND,
    errors.UnknownInvite: HTTPStatus.NOT_FOUND,
    errors.UnknownRendition: HTTPStatus.NOT_FOUND,
    errors.NoSuchPage: HTTPStatus.NOT_FOUND,
    errors.FormatNotOffered: HTTPStatus.NOT_IMPLEMENTED,  # as oEmbed requires; consumers then try another format
    errors.NotHereYet: HTTPStatus.NOT_FOUND,
    errors.UnknownUpload: HTTPStatus.NOT_FOUND,
    errors.FinalUpload: HTTPStatus.FORBIDDEN,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.SlowUpload: HTTPStatus.REQUEST_TIMEOUT,
    errors.IdempotencyKeyInUse: HTTPStatus.CONFLICT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.OffsetMismatch: HTTPStatus.CONFLICT,
    errors.InconsistentLength: HTTPStatus.BAD_REQUEST,
    errors.CompletedUpload: HTTPStatus.BAD_REQUEST,
    errors.PartsUnfinished: HTTPStatus.CONFLICT,
    errors.GoneImage: HTTPStatus.GONE,
    errors.GoneUpload: HTTPStatus.GONE,
    errors.GoneAlbum: HTTPStatus.GONE,
    errors.GoneInvite: HTTPStatus.GONE,
    errors.ClosedInvite: HTTPStatus.GONE,
    errors.EndedAlbumInvite: HTTPStatus.GONE,
    errors.EndedKeyInvite: HTTPStatus.GONE,
    errors.InviteFull: HTTPStatus.FORBIDDEN,
    errors.InviteImagesFull: HTTPStatus.FORBIDDEN,
    errors.InviteBytesFull: HTTPStatus.FORBIDDEN,
    errors.AlbumFull: HTTPStatus.FORBIDDEN,
    errors.InviteKeyFull: HTTPStatus.FORBIDDEN,
    errors.VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    errors.UnsupportedTusVersion: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NotAnImage: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NotTusBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.EncodedBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.UnreadableImage: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.CannotResize: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UploadLocked: HTTPStatus.LOCKED,
    errors.UploadFinishing: HTTPStatus.LOCKED,
    errors.UploadPaused: HTTPStatus.LOCKED,
    errors.ChecksumMismatch: TusStatus.CHECKSUM_MISMATCH,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ProofRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.PassphraseProofRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.BudgetSpent: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnsupportedImageRequest: HTTPStatus.NOT_IMPLEMENTED,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NodeUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UploadMoving: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ObjectMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Draining: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.CatalogueUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
DEFAULT_RETRY_AFTER_S = 5
MAX_FORM_BYTES = 64 * 1024  # forms without a file; uploads are streamed and have their own limit


def status_of(fault: ApplianceError) -> HTTPStatus | TusStatus:
    """The HTTP status of an error; 500 for errors that no request should cause."""
    return STATUSES.get(type(fault), HTTPStatus.INTERNAL_SERVER_ERROR)


def to_named_error(fault: BaseException) -> ApplianceError:
    """The ApplianceError for any exception of a handler; unexpected ones are logged and become InternalError."""
    if isinstance(fault, ApplianceError):
        return fault
    if isinstance(fault, web.HTTPException) and fault.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _from_routing(fault)
    if isinstance(fault, (web.RequestPayloadError, HttpProcessingError)):
        return errors.MalformedRequest("The body can't be read because it doesn't match its headers.")
    log.error("unexpected fault", exc_info=fault)
    return errors.InternalError()


def _from_routing(fault: web.HTTPException) -> ApplianceError:
    """The error for what aiohttp refuses before a handler is called, or while it reads a small body."""
    if isinstance(fault, web.HTTPMethodNotAllowed) and fault.allowed_methods != {"OPTIONS"}:
        allowed = ", ".join(sorted(fault.allowed_methods))
        return errors.MethodNotAllowed(f"{fault.method} is not allowed at this address. Allowed methods: {allowed}.")
    if isinstance(fault, (web.HTTPNotFound, web.HTTPMethodNotAllowed)):  # preflights are allowed everywhere
        return errors.NoSuchPage()
    if isinstance(fault, web.HTTPRequestEntityTooLarge):
        return errors.TooLarge(
            f"A request without a file can have up to {MAX_FORM_BYTES:,} bytes.",
            limit=MAX_FORM_BYTES,
            texts=(errors.TOO_MUCH_TEXT,),
        )
    return errors.MalformedRequest("The request can't be read.")


def problem_response(
    request: web.Request, fault: ApplianceError, members: Mapping[str, object] | None = None
) -> web.Response:
    """The response in the form that the client reads; `members` replace or extend those of problem details."""
    status = status_of(fault)
    if request.path == "/api/1/upload":
        response = json_answer(chevereto_error(status, fault.code, fault.detail), status=status)
    elif request.path.startswith(("/api/", "/iiif/")):
        response = _problem_details(request, fault, members)
    elif is_embedded(request, fault):
        response = missing_image_response(status)
    elif wants_page(request):
        continues = status is HTTPStatus.TOO_MANY_REQUESTS and request.method in ("GET", "HEAD")
        pages = pages_of(request)
        if isinstance(fault, errors.Locked):
            page = pages.locks.locked_page(fault)
        else:
            page = pages.site.error_page(status, fault, request[REQUEST_ID], continues=continues)
        response = web.Response(text=page, content_type="text/html", status=status)
    elif request.method in ("GET", "HEAD"):
        response = _problem_details(request, fault, members)
    else:
        says_title = fault.detail.startswith(fault.title)
        response = web.Response(text=f"{'' if says_title else f'{fault.title}. '}{fault.detail}\n", status=status)
    response.headers.update(headers_of(fault))
    return response


def headers_of(fault: ApplianceError) -> dict[str, str]:
    """The headers of an error response in any form."""
    status, headers = status_of(fault), {"Cache-Control": "no-store"}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT) or fault.retry_after_s:
        headers["Retry-After"] = str(fault.retry_after_s or DEFAULT_RETRY_AFTER_S)
    if status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        headers["Content-Range"] = f"bytes */{fault.limit}"
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(fault, errors.LimitReached) and fault.policy is not None:
        headers |= rate_limit_headers(fault.policy, fault.left, fault.retry_after_s or DEFAULT_RETRY_AFTER_S)
    return headers


def _problem_details(request: web.Request, fault: ApplianceError, members: Mapping[str, object] | None) -> web.Response:
    status = status_of(fault)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": fault.title,
        "status": int(status),
        "detail": fault.detail,
        "code": fault.code,
    }
    if fault.limit is not None:
        body["limit"] = fault.limit
    if fault.actual is not None:
        body["actual"] = fault.actual
    if isinstance(fault, (errors.GoneImage, errors.GoneAlbum)) and fault.restorable_until_s is not None:
        body["restorable_until"] = rfc3339(fault.restorable_until_s)
    if isinstance(fault, errors.GoneImage) and fault.viewed_s is not None:
        body["viewed_at"] = rfc3339(fault.viewed_s)
    if isinstance(fault, errors.LimitReached):
        policy = fault.policy and fault.policy.name
        body |= {"policy": policy, "left": fault.left, "retry_after_s": fault.retry_after_s}
    if isinstance(fault, errors.Banned):
        body |= {"reason": fault.reason, "until": None if fault.until_s is None else rfc3339(fault.until_s)}
    if isinstance(fault, errors.ProofRequired):
        body |= {"challenge": fault.challenge, "retry_after_s": fault.retry_after_s}
    body["request_id"] = request[REQUEST_ID]
    return json_answer(body | dict(members or {}), status=status, content_type="application/problem+json")
