"""Expect: 100-continue: the server asks for a body only if it may be admitted, so a refusal comes before the bytes."""

import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError
from appliance.http.authentication import authenticate
from appliance.http.client_address import client_of
from appliance.http.keys import ADMISSION, INGEST, LIMITS
from appliance.http.transport.request_heads import check_head
from appliance.uploads.admission import AdmissionRequest

ExpectHandler = Callable[[web.Request], Awaitable[None]]


def expect_handler(read_admission_request: Callable[[web.Request], AdmissionRequest]) -> ExpectHandler:
    """The `expect_handler` of a route; `read_admission_request` looks at the head of its requests alone."""

    async def continue_if_admitted(request: web.Request) -> None:
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue" or request.transport is None:
            return
        with contextlib.suppress(ApplianceError):  # the route's own handler responds with the same refusal
            check_head(request)  # middlewares run later
            await authenticate(request)
            request.app[LIMITS].requests.require(client_of(request).id)
            announced = await request.app[INGEST].recognised(read_admission_request(request))
            await request.app[ADMISSION].check(announced)
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    return continue_if_admitted
