"""Delete tokens in requests: reading one from the Authorization header, and slowing down those who guess.

An access key may stand in for the delete tokens of what was uploaded with it.
"""

from contextlib import AbstractAsyncContextManager

from aiohttp import hdrs, web

from appliance.domain.access_keys import key_in
from appliance.http.client_address import client_of
from appliance.http.keys import WRONG_TOKEN_DELAY
from appliance.lifecycle.management import Proof


def bearer(request: web.Request) -> str | None:
    """What an `Authorization: Bearer` header brings, a token or a key; None without one."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def ownership_proof(request: web.Request) -> Proof:
    """The delete token of an `Authorization: Bearer` header, or else the access key; None without either."""
    token = bearer(request)
    return token if token is not None and key_in(token) is None else client_of(request).access_key


def token_in(text: str) -> str:
    """The token in what a person pasted: the token itself, or a manage link that ends with it."""
    return text.strip().rpartition("#")[2]


def delay_wrong_tokens(request: web.Request) -> AbstractAsyncContextManager[None]:
    """Wrap every check of a delete token in this: a WrongToken raised inside is delayed. Raises Busy."""
    return request.app[WRONG_TOKEN_DELAY].delayed(client_of(request).id)
