"""What the host tells those who operate it, by an access key."""

from aiohttp import web

from appliance.domain.access_keys import Scope
from appliance.domain.errors import KeyRequired
from appliance.domain.key_rules import require_scope
from appliance.http.client_address import client_of
from appliance.http.keys import STATUS
from appliance.http.responses import json_answer


async def show_status(request: web.Request) -> web.Response:
    """GET /api/v1/status: what `appliance status` prints. Raises KeyRequired, KeyScope."""
    key = client_of(request).access_key
    if key is None:
        raise KeyRequired("Send an access key with the scope “operate”.")
    require_scope(key, Scope.OPERATE)
    return json_answer(await request.app[STATUS](), headers={"Cache-Control": "no-store"})
