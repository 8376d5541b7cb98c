"""The image resource of the API: read, change, delete. Also the limits in force, and the API description."""

from aiohttp import web

from appliance.domain.errors import GoneImage, UnknownImage
from appliance.domain.model import Image
from appliance.http.api.contract import build_contract
from appliance.http.api.deletions import asks_for_bin, deletion_response, tell_owner
from appliance.http.api.image_resource import image_resource, limits_resource, pending_resource
from appliance.http.client_address import client_of
from appliance.http.closed import give_pass
from appliance.http.delete_tokens import delay_wrong_tokens, ownership_proof
from appliance.http.etags import allowed_versions, version_etag
from appliance.http.image_lookup import find_image_or_progress, resolve_image
from appliance.http.json_fields import (
    asks_to_restore,
    expiry_member,
    json_object,
    passphrase_member,
    text_member,
    yes_or_no_member,
)
from appliance.http.keys import CLOCK, CONFIG, LIMITS, MANAGEMENT, RESUMABLE
from appliance.http.passphrase_header import refuse_unread
from appliance.http.responses import json_answer
from appliance.lifecycle.endings import restorable_until_s
from appliance.lifecycle.management import Changes, Proof
from appliance.resumable import Progress

MEMBERS = frozenset({"title", "alt", "expires_in", "expires_at", "passphrase", "one_view", "restore", "deleted"})
NO_STORE = {"Cache-Control": "no-store"}


async def show_image(request: web.Request) -> web.Response:
    """GET /api/v1/images/{slug}"""
    config = request.app[CONFIG]
    try:
        found = await find_image_or_progress(request)
    except GoneImage as fault:
        if (end := await tell_owner(request, request.app[MANAGEMENT].owned_end)) is not None:
            fault.restorable_until_s, fault.viewed_s = end.restorable_until_s, end.viewed_s
        raise
    if isinstance(found, Progress):
        return json_answer(pending_resource(found, config, is_sealed=found.upload.is_closed), headers=NO_STORE)
    return json_answer(image_resource(found, config), headers=image_headers(found))


def image_headers(image: Image) -> dict[str, str]:
    """The headers of a response with an image's resource."""
    return {"ETag": version_etag(image.version), **NO_STORE}


async def change_image(request: web.Request) -> web.Response:
    """PATCH /api/v1/images/{slug}"""
    management, slug, token = request.app[MANAGEMENT], request.match_info["slug"], ownership_proof(request)
    async with delay_wrong_tokens(request):
        before = await _owned(request, slug, token)
    changes = await _changes(request)
    refuse_unread(request, changes.passphrase, before.lock)
    image = await management.change(
        slug, token, changes, client=client_of(request), only_versions=allowed_versions(request)
    )
    response = json_answer(image_resource(image, request.app[CONFIG]), headers=image_headers(image))
    give_pass(request, response, image)
    return response


async def delete_image(request: web.Request) -> web.Response:
    """DELETE /api/v1/images/{slug}"""
    to_bin = asks_for_bin(request)
    async with delay_wrong_tokens(request):
        image = await _delete(request, to_bin=to_bin)
    until_s = None if image is None else restorable_until_s(image, request.app[CLOCK]())
    return deletion_response(until_s, to_bin=to_bin)


async def _delete(request: web.Request, *, to_bin: bool) -> Image | None:
    """The image as it has ended; None for an upload in progress, which is cancelled."""
    slug, token, only_versions = request.match_info["slug"], ownership_proof(request), allowed_versions(request)
    management = request.app[MANAGEMENT]
    try:
        return await management.delete(slug, token, to_bin=to_bin, only_versions=only_versions)
    except UnknownImage:
        if await request.app[RESUMABLE].withdrawals.by_token(slug, token):
            return None
    # The upload has finished meanwhile.
    return await management.delete(slug, token, to_bin=to_bin, only_versions=only_versions)


async def _owned(request: web.Request, slug: str, token: Proof) -> Image:
    """Raises as `Management.owned` does, and NotHereYet."""
    try:
        return await request.app[MANAGEMENT].owned(slug, token)
    except UnknownImage:
        return await resolve_image(request)


async def show_limits(request: web.Request) -> web.Response:
    """GET /api/v1/limits"""
    limits = request.app[LIMITS]
    return json_answer(
        limits_resource(request.app[CONFIG], limits.switch.state, limits.machines),
        headers={"Cache-Control": "public, max-age=300"},
    )


async def show_contract(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json"""
    return json_answer(build_contract(request.app[CONFIG]), headers={"Cache-Control": "public, max-age=300"})


async def _changes(request: web.Request) -> Changes:
    body = await json_object(request, MEMBERS)
    return Changes(
        title=text_member(body, "title"),
        alt=text_member(body, "alt"),
        expires_s=expiry_member(body, request.app[CLOCK]),
        restore=asks_to_restore(body),
        passphrase=passphrase_member(body),
        one_view=yes_or_no_member(body, "one_view"),
    )
