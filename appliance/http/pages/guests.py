"""The pages for guests of an album: who has the link adds images, by a script or by the plain form."""

from aiohttp import web

from appliance.domain.errors import ApplianceError
from appliance.http.api.uploads import answer_form
from appliance.http.banned import ban_of
from appliance.http.client_address import client_of
from appliance.http.keys import INVITES, LIMITS
from appliance.http.links import guests_path
from appliance.http.pages.html_responses import page_response
from appliance.http.pages.selection import pages_of
from appliance.http.pages.site_pages import UploadFormValues


async def show_guest_page(request: web.Request) -> web.Response:
    """GET /c/{token}"""
    token, pages = request.match_info["token"], pages_of(request)
    status = await request.app[INVITES].open(token)
    if (ban := ban_of(request)) is not None:
        return page_response(pages.site.blocked_page(ban))
    asks_for_proof = request.app[LIMITS].proof_of_work.is_asked(client_of(request))
    return page_response(pages.guests.upload_page(status, token, asks_for_proof=asks_for_proof))


async def add_images(request: web.Request) -> web.Response:
    """POST /c/{token}: the page's form without JavaScript; one file or several"""
    token = request.match_info["token"]

    async def form_page(problem: ApplianceError, values: UploadFormValues) -> str:
        status = await request.app[INVITES].open(token)
        return pages_of(request).guests.upload_page(status, token, problem, form_values=values)

    return await answer_form(request, form_page, again=guests_path(token))
