"""Delete tokens in requests: reading one from the Authorization header, and slowing down those who guess."""

from contextlib import AbstractAsyncContextManager

from aiohttp import hdrs, web

from appliance.http.client_address import client_of
from appliance.http.keys import WRONG_TOKEN_DELAY


def bearer_token(request: web.Request) -> str | None:
    """The token of an `Authorization: Bearer` header; None without one."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def token_in(text: str) -> str:
    """The token in what a person pasted: the token itself, or a manage link that ends with it."""
    return text.strip().rpartition("#")[2]


def delay_wrong_tokens(request: web.Request) -> AbstractAsyncContextManager[None]:
    """Wrap every check of a delete token in this: a WrongToken raised inside is delayed. Raises Busy."""
    return request.app[WRONG_TOKEN_DELAY].delayed(client_of(request).id)
