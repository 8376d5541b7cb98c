"""The image resource of the API: read, change, delete; the limits in force; the contract."""

import json
from datetime import datetime
from typing import Any

from aiohttp import web

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.clock import Clock
from appliance.errors import InvalidExpiry, InvalidField, MalformedRequest
from appliance.http.answers import json_answer
from appliance.http.contract import contract
from appliance.http.keys import CLOCK, CONFIG, DELIVERY, MANAGEMENT
from appliance.http.requests import bearer_token
from appliance.http.resource import image_resource, limits
from appliance.lifecycle.managing import Changes
from appliance.wishes import parse_duration

MEMBERS = frozenset({"title", "alt", "expires_in", "expires_at", "deleted"})
FRESH = {"Cache-Control": "no-store"}


async def show_image(request: web.Request) -> web.Response:
    """GET /api/v1/images/{slug}"""
    image = await request.app[DELIVERY].resolve(request.match_info["slug"])
    return json_answer(image_resource(image, request.app[CONFIG]), headers=FRESH)


async def change_image(request: web.Request) -> web.Response:
    """PATCH /api/v1/images/{slug}"""
    management, slug, token = request.app[MANAGEMENT], request.match_info["slug"], bearer_token(request)
    await management.owned(slug, token)
    changes = await _changes(request)
    image = await management.change(slug, token, changes)
    return json_answer(image_resource(image, request.app[CONFIG]), headers=FRESH)


async def delete_image(request: web.Request) -> web.Response:
    """DELETE /api/v1/images/{slug}"""
    await request.app[MANAGEMENT].delete(request.match_info["slug"], bearer_token(request))
    return web.Response(status=204, headers=FRESH)


async def show_limits(request: web.Request) -> web.Response:
    """GET /api/v1/limits"""
    return json_answer(limits(request.app[CONFIG]), headers={"Cache-Control": "public, max-age=300"})


async def show_contract(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json"""
    return json_answer(contract(request.app[CONFIG]), headers={"Cache-Control": "public, max-age=300"})


async def _changes(request: web.Request) -> Changes:
    try:
        body = json.loads(await request.text())
    except (UnicodeDecodeError, LookupError, ValueError, RecursionError) as fault:
        raise MalformedRequest("The body is not JSON.") from fault
    if not isinstance(body, dict):
        raise MalformedRequest("The body is not a JSON object.")
    unknown = sorted(set(body) - MEMBERS)
    if unknown:
        raise InvalidField(f"“{unknown[0][:40]}” can't be changed; {', '.join(sorted(MEMBERS))} can.")
    if body.get("deleted", False) is not False:
        raise InvalidField("deleted takes only false, which brings an image back; to delete it, use DELETE.")
    return Changes(
        title=_text(body, "title"),
        alt=_text(body, "alt"),
        expires_s=_expiry(body, request.app[CLOCK]),
        restore="deleted" in body,
    )


def _text(body: dict[str, Any], name: str) -> str | Unchanged | None:
    text = body.get(name, UNCHANGED)
    if isinstance(text, (str, Unchanged)) or text is None:
        return text
    raise InvalidField(f"{name} takes text, or null for none.")


def _expiry(body: dict[str, Any], clock: Clock) -> int | None:
    """The wished expiry as a unix second."""
    if "expires_in" in body and "expires_at" in body:
        raise InvalidExpiry("Give expires_in or expires_at, not both.")
    if "expires_at" in body:
        return _moment(body["expires_at"])
    if "expires_in" not in body:
        return None
    wished = body["expires_in"]
    if isinstance(wished, str):
        return int(clock()) + parse_duration(wished)
    if isinstance(wished, int) and not isinstance(wished, bool):
        return int(clock()) + wished
    raise InvalidExpiry("expires_in takes whole seconds (3600) or a number with a unit (12h, 30d, 4w).")


def _moment(text: object) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return int(moment.timestamp())
    except (ValueError, OverflowError) as fault:
        raise InvalidExpiry("expires_at takes an RFC 3339 time with its zone: 2027-01-31T12:00:00Z.") from fault
