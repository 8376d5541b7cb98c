"""Whether a client wants a page, and which language it gets."""

from aiohttp import hdrs, web

from appliance.http.keys import PAGES
from appliance.http.localization.languages import choose_language
from appliance.http.pages.localized_pages import LocalizedPages


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser that shows HTML; programs send `*/*` or no Accept header."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def pages_of(request: web.Request) -> LocalizedPages:
    """The pages in the language that the browser asks for."""
    pages = request.app[PAGES]
    language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), [each.language for each in pages])
    return next(each for each in pages if each.language is language)
