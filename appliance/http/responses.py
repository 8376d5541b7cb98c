"""JSON responses that are readable in a terminal, without escapes; and the headers of every response."""

import json
from collections.abc import Mapping

from aiohttp import hdrs, web

from appliance.config.model import Config

SOFTWARE = "appliance"
"""The Server header. It doesn't reveal the language, the library or their versions."""
PAGE_POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The content policy of every page."""
HTTPS_ONLY_S = 180 * 86_400
"""For this host only: subdomains may belong to others."""


def common_headers(config: Config) -> dict[str, str]:
    """The headers of every response, even to a request that can't be read."""
    headers = {hdrs.SERVER: SOFTWARE, "X-Content-Type-Options": "nosniff"}
    if config.server.base_url.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={HTTPS_ONLY_S}"
    return headers


def json_bytes(body: object) -> bytes:
    """`body` as UTF-8 JSON; a lone surrogate, which UTF-8 can't encode, stays an escape."""
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def json_answer(
    body: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    return web.Response(body=json_bytes(body), status=status, headers=headers, content_type=content_type)
