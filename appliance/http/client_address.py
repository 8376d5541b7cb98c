"""The client that a request counts for, worked out once per request."""

from aiohttp import web

from appliance.domain.clients import Client
from appliance.http.keys import TRUSTED_PROXIES

CLIENT = web.RequestKey("client", Client)


def client_of(request: web.Request) -> Client:
    """The client; an address until `authentication.authenticate` has found out more."""
    if CLIENT not in request:
        request[CLIENT] = request.app[TRUSTED_PROXIES].client(request)
    return request[CLIENT]
