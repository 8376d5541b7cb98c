"""JSON answers as a person reads them in a terminal: every script as itself, not as escapes."""

import json
from collections.abc import Mapping

from aiohttp import hdrs, web

from appliance.config.model import Config

SOFTWARE = "appliance"
"""How answers name the server: which language and library it is made of, and of which age, is nobody's concern."""
HTTPS_ONLY_S = 180 * 86_400
"""Of this host alone: names below it are not ours to speak for."""


def common_headers(config: Config) -> dict[str, str]:
    """What every answer has, whether a request could be read or not."""
    headers = {hdrs.SERVER: SOFTWARE, "X-Content-Type-Options": "nosniff"}
    if config.server.base_url.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={HTTPS_ONLY_S}"
    return headers


def json_bytes(body: object) -> bytes:
    """`body` as UTF-8 JSON; half a surrogate pair, which UTF-8 has no bytes for, stays an escape."""
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def json_answer(
    body: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """The answer that says `body`."""
    return web.Response(body=json_bytes(body), status=status, headers=headers, content_type=content_type)
