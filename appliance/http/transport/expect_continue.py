"""Expect: 100-continue: a body is asked for only when it may be admitted, so that a refusal comes before the bytes."""

import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from appliance.domain.errors import ApplianceError
from appliance.http.keys import ADMISSION
from appliance.http.transport.request_heads import check_head
from appliance.uploads.admission import AdmissionRequest

ExpectHandler = Callable[[web.Request], Awaitable[None]]


def continuing(offered: Callable[[web.Request], AdmissionRequest]) -> ExpectHandler:
    """The handler of routes whose requests bring what `offered` makes of their heads."""

    async def continue_if_admitted(request: web.Request) -> None:
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue" or request.transport is None:
            return
        with contextlib.suppress(ApplianceError):  # the route's own handler answers with the same refusal
            check_head(request)  # middlewares come later
            await request.app[ADMISSION].check(offered(request))
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    return continue_if_admitted
