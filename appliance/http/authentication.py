"""Authentication: who makes a request, by an access key or by what a trusted proxy says. Others are their address."""

import hashlib
from dataclasses import replace

from aiohttp import hdrs, web

from appliance.domain.access_keys import is_key
from appliance.domain.clients import Client
from appliance.http.banned import refuse_banned
from appliance.http.client_address import CLIENT, client_of
from appliance.http.delete_tokens import bearer
from appliance.http.keys import ACCESS_KEYS, CONFIG, INVITES, TRUSTED_PROXIES, WRONG_TOKEN_DELAY
from appliance.http.links import GUESTS_PATH

KEY_HEADER = "X-API-Key"
KEY_FIELD = "key"
"""A field of forms, and a parameter of Chevereto's API, that may bring an access key."""
INVITE_HEADER = "X-Invite"
INVITE_FIELD = "invite"
"""A field of forms that may bring the token of an invite."""
CHEVERETO_PATH = "/api/1/upload"
PROOF_HEADER = "Proof-Of-Work"
AUTHENTICATED = web.RequestKey("authenticated", bool)


async def authenticate(request: web.Request) -> None:
    """Find out who makes the request; only one with credentials costs anything.

    Raises Banned, KeyInvalid, UnknownInvite, Busy.

    A key that isn't valid never counts as none. A text that doesn't mean to be a key is one: a delete token, or what
    programs send that insist on some key. Nobody is signed in for what another site has their browser do.
    """
    if AUTHENTICATED in request:
        return
    refuse_banned(request, client_of(request))
    if (key := _key_in_head(request)) is not None:
        request[CLIENT] = await client_with_key(request, key)
    elif (header := request.app[CONFIG].access.user_header) is not None:
        user = request.app[TRUSTED_PROXIES].user(request, header)
        if user is not None and request.headers.get("Sec-Fetch-Site") != "cross-site":
            request[CLIENT] = Client(f"user:{hashlib.sha256(user.encode()).hexdigest()[:32]}", user=user)
    if (token := _invite_in_head(request)) is not None:
        request[CLIENT] = await guest_with_invite(request, client_of(request), token)
    if PROOF_HEADER in request.headers:
        request[CLIENT] = replace(client_of(request), proof=request.headers[PROOF_HEADER])
    request[AUTHENTICATED] = True


async def client_with_key(request: web.Request, key: str) -> Client:
    """The client who has the access key.

    Raises KeyInvalid, Banned, and Busy after many wrong keys from an address.
    """
    async with request.app[WRONG_TOKEN_DELAY].delayed(client_of(request).id):
        found = await request.app[ACCESS_KEYS].authenticate(key)
    client = Client(f"key:{found.id}", access_key=found)
    refuse_banned(request, client)
    return client


async def guest_with_invite(request: web.Request, client: Client, token: str) -> Client:
    """The client, as a guest by the invite with this token. Raises UnknownInvite."""
    return replace(client, invite=await request.app[INVITES].find(token))


def _invite_in_head(request: web.Request) -> str | None:
    """The token in a header, or in the address of a form that guests send without JavaScript."""
    if INVITE_HEADER in request.headers:
        return request.headers[INVITE_HEADER].strip()
    if request.method == hdrs.METH_POST and request.path.startswith(GUESTS_PATH):
        return request.match_info.get("token")
    return None


def _key_in_head(request: web.Request) -> str | None:
    if hdrs.AUTHORIZATION in request.headers and is_key(token := bearer(request) or ""):
        return token
    if KEY_HEADER in request.headers and is_key(text := request.headers[KEY_HEADER].strip()):
        return text
    if request.path == CHEVERETO_PATH and is_key(text := request.query.get(KEY_FIELD, "").strip()):
        return text
    return None
