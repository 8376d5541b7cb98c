"""Who may see what is closed: an image or album with a passphrase, or an image for one view.

The delete token opens everything, and so does the access key that may stand in for it. A passphrase opens what it
protects: programs send it in a header; a form sends it once, and the browser gets a pass for it, in a cookie of that
one path. One view is spent by a form alone.
"""

from contextlib import suppress
from dataclasses import replace

from aiohttp import web

from appliance.domain import tokens
from appliance.domain.errors import KeyScope, Locked, MissingToken, WrongToken
from appliance.domain.model import Album, Image
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.http.client_address import client_of
from appliance.http.delete_tokens import delay_wrong_tokens, ownership_proof
from appliance.http.keys import CLOSED, CONFIG, LOCKSMITH
from appliance.http.links import album_path, share_path
from appliance.http.passphrase_header import passphrase_in
from appliance.lifecycle.management import check_token
from appliance.locks.passes import PASS_S

COOKIE = "pass"


async def require_open(request: web.Request, shared: Image | Album) -> None:
    """Return if the request may see it. Raises Locked, and for a passphrase as `require_passphrase` does."""
    if not shared.is_closed:
        return
    request[CLOSED] = True
    if _is_owner(request, shared):
        return
    if is_one_view(shared) or shared.lock is None:
        raise await _refusal(request, shared)
    if request.app[LOCKSMITH].accepts_pass(request.cookies.get(COOKIE, ""), shared.slug, shared.lock):
        return
    if (passphrase := passphrase_in(request)) is None:
        raise await _refusal(request, shared)
    await require_passphrase(request, shared, passphrase)


def refuse_closed(request: web.Request, shared: Image | Album) -> None:
    """Raises Locked for what is closed, even to its owner: for representations that are public, such as IIIF."""
    if shared.is_closed:
        request[CLOSED] = True
        raise locked(request, shared)


async def is_open(request: web.Request, shared: Image | Album, token: str | None = None) -> bool:
    """Whether the request may see it, perhaps with this delete token. Raises as `require_passphrase` does."""
    try:
        await require_open(request, shared)
    except Locked:
        return token is not None and tokens.matches(token, shared.token_hash)
    return True


def _is_owner(request: web.Request, shared: Image | Album) -> bool:
    try:
        check_token(ownership_proof(request), shared.token_hash, shared.access_key)
    except (MissingToken, WrongToken, KeyScope):
        return False
    return True


async def _refusal(request: web.Request, shared: Image | Album) -> Locked:
    """The error that tells how it can be opened, later where the request guesses at the delete token. Raises Busy."""
    with suppress(WrongToken, MissingToken, KeyScope):
        async with delay_wrong_tokens(request):
            check_token(ownership_proof(request), shared.token_hash, shared.access_key)
    return locked(request, shared)


async def require_passphrase(
    request: web.Request, shared: Image | Album, passphrase: str, proof: str | None = None
) -> None:
    """Check the passphrase of a locked image or album. Wrong ones are delayed, and refused when there were many.

    `proof` is a proof of work from a form. Raises WrongPassphrase, TooManyGuesses, PassphraseProofRequired,
    InvalidField, Busy.
    """
    assert shared.lock is not None
    client = client_of(request)
    async with delay_wrong_tokens(request):
        await request.app[LOCKSMITH].require(
            passphrase, shared.slug, shared.lock, replace(client, proof=proof or client.proof)
        )


def locked(request: web.Request, shared: Image | Album) -> Locked:
    """The error that tells how it can be opened."""
    has_passphrase = shared.lock is not None and shared.lock != UNREADABLE_LOCK
    challenge = request.app[LOCKSMITH].challenge(shared.slug, client_of(request)) if has_passphrase else None
    return Locked(path_of(shared), has_passphrase=has_passphrase, is_one_view=is_one_view(shared), challenge=challenge)


def is_one_view(shared: Image | Album) -> bool:
    return isinstance(shared, Image) and shared.one_view


def path_of(shared: Image | Album) -> str:
    """The path of its page, below which is everything that a pass opens."""
    return share_path(shared.slug) if isinstance(shared, Image) else album_path(shared.slug)


def give_pass(request: web.Request, response: web.Response, shared: Image | Album) -> None:
    """Let the browser see a locked image or album for a day, or until its passphrase is changed."""
    if shared.lock is None or is_one_view(shared):
        return
    response.set_cookie(
        COOKIE,
        request.app[LOCKSMITH].issue_pass(shared.slug, shared.lock),
        max_age=PASS_S,
        path=path_of(shared),
        httponly=True,
        samesite="Lax",
        secure=request.app[CONFIG].server.base_url.startswith("https://"),
    )
