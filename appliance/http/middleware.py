"""Around every handler: request ids, errors as responses, security headers, and metrics."""

import asyncio
import time
from http import HTTPMethod, HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from appliance.domain.errors import ApplianceError
from appliance.domain.this_node import BytesElsewhere
from appliance.domain.tokens import hash_secret
from appliance.http.access_log import log_request
from appliance.http.always_open import is_always_open
from appliance.http.authentication import PROOF_HEADER, authenticate
from appliance.http.client_address import client_of
from appliance.http.keys import (
    CHANGE_START_LIMITER,
    CLOSED,
    CONFIG,
    FORWARDING_WATCH,
    HEALTH,
    LIMITS,
    METRICS,
    PASS_ON,
    REQUEST_ID,
    RESUMABLE,
    START_LIMITER,
    TRUSTED_PROXIES,
)
from appliance.http.links import GUESTS_PATH, UPLOADS_PATH
from appliance.http.problems import problem_response, to_named_error
from appliance.http.responses import PAGE_POLICY, common_headers
from appliance.http.transport.request_heads import check_head
from appliance.http.tus import headers as tus
from appliance.observability import logs

EXPOSED_HEADERS = "Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, ETag, Content-Range"
ONLY_FOR_THIS_CLIENT = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
"""The headers of what a passphrase or one view protects, in place of those that let other sites and caches have it."""


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: sets the request id, counts and logs the request, and turns errors into responses."""
    request[REQUEST_ID] = request.app[TRUSTED_PROXIES].request_id(request)
    token = logs.request_id.set(request[REQUEST_ID])
    health, started, status = request.app[HEALTH], time.monotonic(), 499  # if the client goes away
    health.in_flight += 1
    try:
        await _wait_for_turn(request)
        response = await _respond(request, handler)
        status = response.status
        return response
    finally:
        health.in_flight -= 1
        _record(request, status, time.monotonic() - started)
        logs.request_id.reset(token)


async def _wait_for_turn(request: web.Request) -> None:
    """Let the request start with few others. Of those that change something, the ones with a proof of work go first."""
    client = client_of(request).id
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        await request.app[START_LIMITER].wait_for_turn(client)
        return
    await request.app[CHANGE_START_LIMITER].wait_for_turn(client, lambda: _goes_first(request, client))


def _goes_first(request: web.Request, client: str) -> bool:
    """Whether it brings a solved challenge, or continues an upload that was begun with one."""
    if (upload_id := request.match_info.get("id")) is not None:
        return request.app[RESUMABLE].unfinished.has_proven(hash_secret(upload_id))
    return request.app[LIMITS].proof_of_work.is_solved(client, request.headers.get(PROOF_HEADER))


def _record(request: web.Request, status: int, seconds: float) -> None:
    request.app[METRICS].request_done(_route(request), _method(request), status, seconds)
    log_request(request, status, seconds)


async def _respond(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        check_head(request)
        if not is_always_open(request):
            await _identify(request)
        try:
            return await handler(request)
        except BytesElsewhere as elsewhere:
            return await request.app[PASS_ON](request, elsewhere.node)
    except web.HTTPException as fault:
        if fault.status < 400:  # redirects
            return fault
        return _problem_response(request, to_named_error(fault), fault)
    except (ConnectionError, asyncio.CancelledError):
        raise  # nobody is there to read a response
    except Exception as fault:
        return _problem_response(request, to_named_error(fault), fault)


async def _identify(request: web.Request) -> None:
    """Count the request and find out who makes it. Raises RateLimited, and as `authenticate` does.

    It counts for its address, until a key or a name says that it is another client's: looking that up costs something.
    """
    requests, address = request.app[LIMITS].requests, client_of(request).id
    if (watch := request.app.get(FORWARDING_WATCH)) is not None:
        watch.note(request, address)
    requests.take(address)
    await authenticate(request)
    if (client := client_of(request).id) != address:
        requests.charge(address, -1)
        requests.take(client)


def _problem_response(request: web.Request, fault: ApplianceError, cause: Exception) -> web.Response:
    response = problem_response(request, fault)
    if isinstance(cause, web.HTTPMethodNotAllowed) and response.status == cause.status:
        response.headers["Allow"] = ", ".join(sorted(cause.allowed_methods))
    return response


def _method(request: web.Request) -> str:
    """A metrics label with bounded values: clients may invent methods."""
    return request.method if request.method in HTTPMethod.__members__ else "(other)"


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every response needs, just before it starts."""
    headers = response.headers
    headers.update(common_headers(request.app[CONFIG]))
    headers["X-Request-ID"] = request.get(REQUEST_ID, "-")
    if request.path.startswith(GUESTS_PATH):  # the address is a secret
        headers.update({"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"})
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if response.content_type == "text/html":
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        headers.add("Vary", "Accept-Language")
    if request.get(CLOSED):
        headers.update(ONLY_FOR_THIS_CLIENT)
    elif request.path.startswith(("/api/", "/i/", "/iiif/", "/oembed")):
        headers.setdefault("Access-Control-Allow-Origin", "*")
        headers.setdefault("Access-Control-Expose-Headers", EXPOSED_HEADERS)
    if request.path.startswith(UPLOADS_PATH):
        tus.add_headers(headers, response.status)
    never_ends = response.status == HTTPStatus.REQUEST_TIMEOUT  # the rest of the body may never arrive
    if never_ends or request.app[HEALTH].stopping:
        response.force_close()
        headers["Connection"] = "close"  # aiohttp has set this header already
