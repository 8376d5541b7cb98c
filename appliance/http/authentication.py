"""Authentication: who makes a request, by an access key or by what a trusted proxy says. Others are their address."""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import replace

from aiohttp import hdrs, web
from multidict import istr
from yarl import URL

from appliance.domain.access_keys import id_of, key_in
from appliance.domain.clients import Client
from appliance.domain.errors import KeyInvalid
from appliance.http.banned import refuse_banned
from appliance.http.client_address import CLIENT, client_of
from appliance.http.invite_header import invite_in_head, only_invite
from appliance.http.keys import ACCESS_KEYS, CONFIG, INVITES, TRUSTED_PROXIES, WRONG_TOKEN_DELAY

KEY_HEADER = "X-API-Key"
KEY_HEADERS = tuple(
    istr(name)  # looked for at each request, which takes a fifth of the time with these
    for name in (
        *(KEY_HEADER, "Api-Key", "ApiKey", "X-Key", "X-Access-Key", "Access-Key", "X-Auth-Key", "X-Token", "Token"),
        *("X-Api-Token", "Api-Token", "X-Access-Token", "Access-Token", "X-Auth-Token", "Auth-Token"),
        *("X-Authorization", "Authentication", "Proxy-Authorization"),
    )
)
"""Headers in which programs send an access key, besides Authorization. A key in one of them is never overlooked."""
KEY_FIELDS = frozenset(
    name.lower().removeprefix("x-").replace("-", "") for name in (*KEY_HEADERS, "Authorization", "Bearer")
)
"""What programs call a field or parameter that brings a key: in small letters, without joints."""
CHEVERETO_PATH = "/api/1/upload"
PROOF_HEADER = "Proof-Of-Work"
_TO_STANDARD = str.maketrans("-_", "+/")
"""From the URL-safe alphabet of Base64, which some programs use."""
SEVERAL_KEYS = "The request has several access keys. Send one."


async def authenticate(request: web.Request) -> None:
    """Find out who makes the request; only one with credentials costs anything.

    Raises Banned, KeyInvalid, UnknownInvite, InvalidField, Busy.

    A key that isn't valid never counts as none, however it is written. A text without a key's beginning is no key: a
    delete token, or what programs send that insist on some key.
    """
    refuse_banned(request, client_of(request))
    if (key := _key_in_head(request)) is not None:
        request[CLIENT] = await client_with_key(request, key)
    elif (user := _signed_in_user(request)) is not None:
        name = hashlib.sha256(user.encode()).hexdigest()[:32]
        request[CLIENT] = Client(f"user:{name}", client_of(request).address, user=user)
    if (token := invite_in_head(request)) is not None:
        request[CLIENT] = await guest_with_invite(request, client_of(request), token)
    if PROOF_HEADER in request.headers:
        request[CLIENT] = replace(client_of(request), proof=request.headers[PROOF_HEADER])


async def client_with_key(request: web.Request, key: str) -> Client:
    """The client who has the access key, and may be signed in as well.

    Raises KeyInvalid, also where its headers brought another one, Banned, and Busy after many wrong keys from an
    address.
    """
    if (known := client_of(request).access_key) is not None and known.id != id_of(key):
        raise KeyInvalid(SEVERAL_KEYS)
    async with request.app[WRONG_TOKEN_DELAY].delayed(client_of(request).id):
        found = await request.app[ACCESS_KEYS].authenticate(key)
    client = Client(f"key:{found.id}", client_of(request).address, access_key=found, user=_signed_in_user(request))
    refuse_banned(request, client)
    return client


async def guest_with_invite(request: web.Request, client: Client, token: str) -> Client:
    """The client, as a guest by the invite with this token.

    Raises UnknownInvite, and InvalidField for the guest of another one.
    """
    found, album_key = await request.app[INVITES].find(token)
    if client.invite is not None:
        only_invite(client.invite.id, found.id)
    return replace(client, invite=found, album_key=album_key)


def _signed_in_user(request: web.Request) -> str | None:
    """Whom a trusted proxy names. Nobody is signed in for what another site has their browser do."""
    header = request.app[CONFIG].access.user_header
    if header is None or _is_forged(request):
        return None
    return request.app[TRUSTED_PROXIES].user(request, header)


def _is_forged(request: web.Request) -> bool:
    """Whether another site has a browser make a request that may change something.

    A GET changes nothing, and sign-in services on other sites lead back here. `Origin` is for browsers and web views
    that don't send `Sec-Fetch-Site` (Safari before 16.4).
    """
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        return False
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site not in ("same-origin", "none")
    if (origin := request.headers.get(hdrs.ORIGIN)) is None:
        return False
    public = str(URL(request.app[CONFIG].server.base_url).origin())
    return origin != public and origin.partition("://")[2] != request.host.lower()


def _key_in_head(request: web.Request) -> str | None:
    """The key in the headers or the address. Raises KeyInvalid for several keys, or one that is in the wrong place."""
    found = {key for text in _credentials(request) if (key := key_in(text)) is not None}
    if len(found) > 1:
        raise KeyInvalid(SEVERAL_KEYS)
    return found.pop() if found else None


def _credentials(request: web.Request) -> Iterator[str]:
    """Every text in the head that may be a key."""
    if hdrs.AUTHORIZATION in request.headers:
        for sent in request.headers.getall(hdrs.AUTHORIZATION):
            yield from _basic_credentials(sent) or (sent,)
    for name in KEY_HEADERS:
        if name in request.headers:
            yield from request.headers.getall(name)
    if request.query_string:
        yield from _keys_in_address(request)


def _basic_credentials(sent: str) -> tuple[str, ...]:
    """Name and password of `Basic` (RFC 7617); nothing for another scheme, or for what can't be read."""
    scheme, _, encoded = sent.strip().partition(" ")
    if scheme.lower() != "basic":
        return ()
    try:
        padded = encoded.strip().rstrip("=").translate(_TO_STANDARD)
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4)).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ()
    name, _, password = decoded.partition(":")
    return name, password


def names_key(name: str) -> bool:
    """Whether programs call a field of a form, or a parameter of an address, like this that brings an access key."""
    return name.lower().replace("_", "-").removeprefix("x-").replace("-", "") in KEY_FIELDS


def _keys_in_address(request: web.Request) -> Iterator[str]:
    for name, text in request.query.items():
        if not names_key(name) or key_in(text) is None:
            continue
        if request.path != CHEVERETO_PATH:
            raise KeyInvalid(f"Send the access key in the header {KEY_HEADER}, because addresses end up in logs.")
        yield text
