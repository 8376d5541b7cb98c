"""Authentication: who makes a request, by an access key or by what a trusted proxy says. Others are their address."""

import base64
import hashlib
from dataclasses import replace

from aiohttp import hdrs, web

from appliance.domain.access_keys import PREFIX, is_key
from appliance.domain.clients import Client
from appliance.domain.errors import KeyInvalid
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
_HOW_TO_SEND = "Send an access key as it is, in X-API-Key, or after Bearer in Authorization."
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
    elif (user := _user_of(request)) is not None:
        request[CLIENT] = Client(f"user:{hashlib.sha256(user.encode()).hexdigest()[:32]}", user=user)
    if (token := _invite_in_head(request)) is not None:
        request[CLIENT] = await guest_with_invite(request, client_of(request), token)
    if PROOF_HEADER in request.headers:
        request[CLIENT] = replace(client_of(request), proof=request.headers[PROOF_HEADER])
    request[AUTHENTICATED] = True


async def client_with_key(request: web.Request, key: str) -> Client:
    """The client who has the access key, and may be signed in as well.

    Raises KeyInvalid, Banned, and Busy after many wrong keys from an address.
    """
    async with request.app[WRONG_TOKEN_DELAY].delayed(client_of(request).id):
        found = await request.app[ACCESS_KEYS].authenticate(key)
    client = Client(f"key:{found.id}", access_key=found, user=_user_of(request))
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


def _user_of(request: web.Request) -> str | None:
    """Whom a trusted proxy has signed in; nobody for what another site has their browser do."""
    header = request.app[CONFIG].access.user_header
    if header is None or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return None
    return request.app[TRUSTED_PROXIES].user(request, header)


def _key_in_head(request: web.Request) -> str | None:
    """The access key. Raises KeyInvalid for one that is sent in another way, which never counts as none."""
    token, text = bearer(request) or "", ", ".join(request.headers.getall(KEY_HEADER, ())).strip()
    in_address = request.query.get(KEY_FIELD, "").strip()
    if is_key(token):
        return token
    if is_key(text):
        return text
    if is_key(in_address) and request.path == CHEVERETO_PATH:
        return in_address
    if any(PREFIX in sent for sent in (*_credentials(request), text)) or is_key(in_address):
        raise KeyInvalid(_HOW_TO_SEND)
    return None


def _credentials(request: web.Request) -> tuple[str, ...]:
    """What the Authorization headers bring, and what is encoded in those for HTTP's basic authentication."""
    sent = request.headers.getall(hdrs.AUTHORIZATION, ())
    return (*sent, *(_decoded(text.partition(" ")[2]) for text in sent if text[:6].lower() == "basic "))


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode(errors="replace")
    except ValueError:
        return ""
