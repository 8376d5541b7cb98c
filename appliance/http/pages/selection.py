"""Whether a client wants a page, which language it gets, and how long the form for uploads is kept."""

from aiohttp import hdrs, web

from appliance.http.keys import CONFIG, PAGES
from appliance.http.localization.languages import choose_language
from appliance.http.pages.localized_pages import LocalizedPages

MAX_AGE_S = 300
IN_ONE_LANGUAGE = f"private, max-age={MAX_AGE_S}"
"""Shared caches ignore Vary, so they would show such a page to readers of other languages."""


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser that shows HTML; programs send `*/*` or no Accept header."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def pages_of(request: web.Request) -> LocalizedPages:
    """The pages in the language that the browser asks for."""
    pages = request.app[PAGES]
    language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), [each.language for each in pages])
    return next(each for each in pages if each.language is language)


def form_cache(request: web.Request) -> str:
    """The Cache-Control of a page with a form for uploaders; whether they may upload changes when they sign in."""
    if request.app[CONFIG].access.user_header is not None:
        return "no-store"
    return IN_ONE_LANGUAGE
