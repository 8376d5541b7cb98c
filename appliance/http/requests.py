"""What every request goes through, and how handlers read their parameters."""

from contextlib import AbstractAsyncContextManager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy

from appliance.domain.errors import MalformedRequest
from appliance.domain.renditions import Format
from appliance.http.client_address import client_of
from appliance.http.keys import PAGES, WRONG_TOKENS
from appliance.http.pages.languages import chosen
from appliance.http.pages.render import Pages
from appliance.http.transport.multipart import fields_of, too_many_fields
from appliance.http.transport.request_heads import refuse_other_charsets
from appliance.http.transport.small_bodies import small_body

Form = MultiDictProxy[str] | MultiDictProxy[str | bytearray | bytes | web.FileField]
MAX_FORM_FIELDS = 4096
"""Two for each picture of the largest album that a host can be set to, and some."""
_FORMATS = {"jpeg": Format.JPG, **{each.value: each for each in Format}}
REQUEST_ID = web.RequestKey("request_id", str)


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser that shows HTML; programs say `*/*` or nothing."""
    return "text/html" in request.headers.get("Accept", "")


def pages_of(request: web.Request) -> Pages:
    """The pages in the language that this browser's person reads."""
    pages = request.app[PAGES]
    language = chosen(request.headers.get("Accept-Language", ""), [each.language for each in pages])
    return next(each for each in pages if each.language is language)


def is_known(request: web.Request, etag: str) -> bool:
    """Whether the client has this very version already (If-None-Match)."""
    given = request.headers.get("If-None-Match", "")
    return given == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))


async def form_of(request: web.Request) -> Form:
    """The fields of a form without a file. Raises MalformedRequest, EncodedBody, SlowUpload, Busy."""
    try:
        async with small_body(request):
            refuse_other_charsets(request.charset)
            if request.content_type == "multipart/form-data":
                return await fields_of(request)
            if request.content_type == "application/x-www-form-urlencoded":
                count = (await request.read()).count(b"&") + 1
                if count > MAX_FORM_FIELDS:
                    raise too_many_fields(MAX_FORM_FIELDS, count)
            return await request.post()
    except (ValueError, AssertionError, LookupError, HttpProcessingError) as fault:
        raise MalformedRequest("The form can't be read because it is malformed.") from fault


def bearer_token(request: web.Request) -> str | None:
    """The token of an `Authorization: Bearer` header; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def patience(request: web.Request) -> AbstractAsyncContextManager[None]:
    """Around all that looks at a delete token of this client. Raises Busy."""
    return request.app[WRONG_TOKENS].patience(client_of(request).key)


def positive_number(request: web.Request, name: str) -> int | None:
    """A whole number of at least 1 from the query. Raises MalformedRequest."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise MalformedRequest(f"{name} must be a whole number, 1 or greater.")
    return int(text)


def format_named(extension: str) -> Format | None:
    """The rendition format of a URL's extension; `jpeg` is taken for `jpg`."""
    return _FORMATS.get(extension)
