"""The image resource of the API: read, change, delete; the limits in force; the contract."""

from aiohttp import web

from appliance.domain.errors import UnknownImage
from appliance.http.api.contract import contract
from appliance.http.api.image_resource import arriving_resource, image_resource, limits
from appliance.http.json_fields import expiry_member, json_object, restores, text_member
from appliance.http.keys import CLOCK, CONFIG, MANAGEMENT, RESUMABLE
from appliance.http.requests import bearer_token, patience
from appliance.http.responses import json_answer
from appliance.http.views.pending import image_or_progress, resolved
from appliance.lifecycle.management import Changes
from appliance.resumable import Progress

MEMBERS = frozenset({"title", "alt", "expires_in", "expires_at", "deleted"})
FRESH = {"Cache-Control": "no-store"}


async def show_image(request: web.Request) -> web.Response:
    """GET /api/v1/images/{slug}"""
    found, config = await image_or_progress(request), request.app[CONFIG]
    resource = arriving_resource(found, config) if isinstance(found, Progress) else image_resource(found, config)
    return json_answer(resource, headers=FRESH)


async def change_image(request: web.Request) -> web.Response:
    """PATCH /api/v1/images/{slug}"""
    management, slug, token = request.app[MANAGEMENT], request.match_info["slug"], bearer_token(request)
    async with patience(request):
        await _owned(request, slug, token)
    changes = await _changes(request)
    image = await management.change(slug, token, changes)
    return json_answer(image_resource(image, request.app[CONFIG]), headers=FRESH)


async def delete_image(request: web.Request) -> web.Response:
    """DELETE /api/v1/images/{slug}"""
    slug, token = request.match_info["slug"], bearer_token(request)
    async with patience(request):
        try:
            await request.app[MANAGEMENT].delete(slug, token)
        except UnknownImage:
            if not await request.app[RESUMABLE].withdraw(slug, token):
                await request.app[MANAGEMENT].delete(slug, token)  # it has arrived in between
    return web.Response(status=204, headers=FRESH)


async def _owned(request: web.Request, slug: str, token: str | None) -> None:
    """Raises as `Management.owned` does, and NotHereYet."""
    try:
        await request.app[MANAGEMENT].owned(slug, token)
    except UnknownImage:
        await resolved(request)


async def show_limits(request: web.Request) -> web.Response:
    """GET /api/v1/limits"""
    return json_answer(limits(request.app[CONFIG]), headers={"Cache-Control": "public, max-age=300"})


async def show_contract(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json"""
    return json_answer(contract(request.app[CONFIG]), headers={"Cache-Control": "public, max-age=300"})


async def _changes(request: web.Request) -> Changes:
    body = await json_object(request, MEMBERS)
    return Changes(
        title=text_member(body, "title"),
        alt=text_member(body, "alt"),
        expires_s=expiry_member(body, request.app[CLOCK]),
        restore=restores(body),
    )
