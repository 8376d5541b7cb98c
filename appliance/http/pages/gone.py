"""Images and albums that are gone: browsers get a page that says so, programs get problem details."""

import functools
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.domain.errors import ApplianceError
from appliance.http.pages.html_responses import page_response
from appliance.http.pages.selection import wants_page

DELETIONS = ("delete", "delete-now")
"""The actions of a form that delete: into the bin, or without it."""

GonePage = Callable[[web.Request, str], Awaitable[str]]


def with_gone_page(fault: type[ApplianceError], page: GonePage) -> Callable[[Handler], Handler]:
    """Decorates handlers of routes with `{slug}`: if one raises `fault`, a browser gets `page` with status 410."""

    def wrapped(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def shown(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except fault:
                if not wants_page(request):
                    raise
                text = await page(request, request.match_info["slug"])
                return page_response(text, status=HTTPStatus.GONE)

        return shown

    return wrapped
