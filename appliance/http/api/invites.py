"""The invites of an album in the API: make one, list them, close one."""

from typing import Any

from aiohttp import hdrs, web

from appliance.albums.invites import InviteStatus, NewInvite
from appliance.config.model import Config
from appliance.domain.errors import InvalidField
from appliance.domain.invites import Sees
from appliance.http.delete_tokens import delay_wrong_tokens, ownership_proof
from appliance.http.json_fields import json_object, parse_seconds
from appliance.http.keys import CONFIG, INVITES
from appliance.http.links import Links, guests_path
from appliance.http.localization.formatting import rfc3339
from appliance.http.qr_codes import qr_data_url
from appliance.http.responses import json_answer

MEMBERS = frozenset({"expires_in", "max_images", "max_bytes", "sees"})
NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}


async def create_invite(request: web.Request) -> web.Response:
    """POST /api/v1/albums/{slug}/invites"""
    body = await json_object(request, MEMBERS)
    async with delay_wrong_tokens(request):
        status, token = await request.app[INVITES].add(
            request.match_info["slug"], ownership_proof(request), _new_invite(body)
        )
    resource = invite_resource(status) | link_members(token, request.app[CONFIG])
    return json_answer(resource, status=201, headers={hdrs.LOCATION: guests_path(token), **NO_STORE})


async def list_invites(request: web.Request) -> web.Response:
    """GET /api/v1/albums/{slug}/invites"""
    async with delay_wrong_tokens(request):
        found = await request.app[INVITES].all(request.match_info["slug"], ownership_proof(request))
    return json_answer({"invites": [invite_resource(each) for each in found]}, headers=NO_STORE)


async def close_invite(request: web.Request) -> web.Response:
    """DELETE /api/v1/albums/{slug}/invites/{invite}"""
    slug, invite_id = request.match_info["slug"], request.match_info["invite"]
    async with delay_wrong_tokens(request):
        await request.app[INVITES].close(slug, ownership_proof(request), invite_id)
    return web.Response(status=204, headers=NO_STORE)


def invite_resource(status: InviteStatus) -> dict[str, object]:
    """The invite as JSON: times RFC 3339 UTC, `images` and `bytes` what was added by it."""
    invite = status.invite
    return {
        "id": invite.id,
        "state": status.state.value,
        "created_at": rfc3339(invite.created_s),
        "expires_at": rfc3339(invite.expires_s),
        "max_images": invite.max_images,
        "max_bytes": invite.max_bytes,
        "sees": invite.sees.value,
        "images": status.usage.images,
        "bytes": status.usage.bytes,
    }


def link_members(token: str, config: Config) -> dict[str, object]:
    """The members that only the response has that makes the invite: the link, and its QR code as a data URL."""
    link = Links.of(config).guests(token)
    return {"url": link, "qr": qr_data_url(link)}


def _new_invite(body: dict[str, Any]) -> NewInvite:
    """Raises InvalidField, InvalidExpiry."""
    given: dict[str, Any] = {}
    if "expires_in" in body:
        given["expires_in_s"] = parse_seconds(body["expires_in"])
    for name in ("max_images", "max_bytes"):
        if name in body:
            given[name] = _whole_number(body, name)
    if "sees" in body:
        given["sees"] = parse_sees(body["sees"])
    return NewInvite(**given)


def parse_sees(value: object) -> Sees:
    """Raises InvalidField."""
    try:
        return Sees(str(value))
    except ValueError as fault:
        raise InvalidField(f"sees must be one of {', '.join(Sees)}.") from fault


def _whole_number(body: dict[str, Any], name: str) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidField(f"{name} must be a whole number.")
    return value
