"""The caller's own resource: who it is to this host, what it may do, and what is left of its limits."""

from dataclasses import asdict

from aiohttp import web

from appliance.domain.access_keys import AccessKey, KeyUsage
from appliance.domain.clock import DAY_S
from appliance.domain.errors import ApplianceError
from appliance.http.banned import ban_of
from appliance.http.client_address import client_of
from appliance.http.keys import ACCESS_KEYS, BANS, LIMITS, TRUSTED_PROXIES, UPLOADERS
from appliance.http.localization.formatting import rfc3339
from appliance.http.responses import json_answer

NO_STORE = {"Cache-Control": "no-store"}


async def show_me(request: web.Request) -> web.Response:
    """GET /api/v1/me"""
    client = client_of(request)
    me: dict[str, object] = {"may_upload": _may_upload(request), "signed_in_as": client.user, "key": None}
    me["quotas"] = [
        {"name": policy.name, "unit": policy.unit, "limit": policy.quota, "window_s": policy.window_s, "left": left}
        for policy, left in request.app[LIMITS].left_of(client)
    ]
    if (key := client.access_key) is not None:
        me["key"] = key_resource(key, await request.app[ACCESS_KEYS].usage(key))
    return json_answer(me, headers=NO_STORE)


def _may_upload(request: web.Request) -> bool:
    if ban_of(request) is not None:
        return False
    try:
        for client in (request.app[TRUSTED_PROXIES].client(request), client_of(request)):
            request.app[BANS].require_not_banned(client, viewing=False)
        request.app[UPLOADERS].require(client_of(request))
    except ApplianceError:
        return False
    return True


def key_resource(key: AccessKey, usage: KeyUsage) -> dict[str, object]:
    """The key as JSON, with what is used and left of its limits; `usage` is today's. A null is no limit."""
    limits = key.limits
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [scope.value for scope in key.scopes],
        "created_at": rfc3339(key.created_s),
        "expires_at": None if key.expires_s is None else rfc3339(key.expires_s),
        "limits": asdict(limits),
        "used": {
            "images": usage.images,
            "bytes": usage.bytes,
            "images_today": usage.day_images,
            "bytes_today": usage.day_bytes,
        },
        "left": {
            "images": _left(limits.max_images, usage.images),
            "bytes": _left(limits.max_bytes, usage.bytes),
            "images_today": _left(limits.max_images_a_day, usage.day_images),
            "bytes_today": _left(limits.max_bytes_a_day, usage.day_bytes),
        },
        "day_ends_at": rfc3339((usage.day + 1) * DAY_S),
    }


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
