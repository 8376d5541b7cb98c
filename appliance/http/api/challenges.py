"""Challenges ahead of an upload, so that its first request can bring the solution while a proof of work is needed."""

from aiohttp import web

from appliance.http.client_address import client_of
from appliance.http.keys import LIMITS
from appliance.http.responses import json_answer
from appliance.limits.challenges import VALID_S

NO_STORE = {"Cache-Control": "no-store"}


async def show_challenge(request: web.Request) -> web.Response:
    """GET /api/v1/challenge: null while the caller's uploads need no proof of work"""
    challenge = request.app[LIMITS].proof_of_work.challenge_ahead(client_of(request))
    return json_answer({"challenge": challenge, "valid_s": VALID_S}, headers=NO_STORE)
