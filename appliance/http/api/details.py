"""Details of an original as JSON: what its metadata says, as far as its uploader wanted it kept."""

from dataclasses import asdict

from aiohttp import hdrs, web

from appliance.domain.details import Details
from appliance.http.cache_tags import tags
from appliance.http.client_address import client_of
from appliance.http.etags import is_not_modified, page_etag
from appliance.http.image_lookup import resolve_image
from appliance.http.keys import DELIVERY
from appliance.http.pages.html_responses import REVALIDATE
from appliance.http.responses import json_bytes


async def show_details(request: web.Request) -> web.Response:
    """GET /api/v1/images/{slug}/details"""
    image = await resolve_image(request)
    body = json_bytes(details_resource(await request.app[DELIVERY].details(image, client_of(request).id)))
    headers = {hdrs.ETAG: page_etag(body), hdrs.CACHE_CONTROL: REVALIDATE, **tags(image.slug)}
    if is_not_modified(request, headers[hdrs.ETAG]):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers, content_type="application/json")


def details_resource(details: Details) -> dict[str, object]:
    """What the original says, each under its name; what it doesn't say is left out."""
    return {name: value for name, value in asdict(details).items() if value is not None}
