"""JSON answers as a person reads them in a terminal: every script as itself, not as escapes."""

import json
from collections.abc import Mapping

from aiohttp import web

SOFTWARE = "appliance"
"""How answers name the server: which language and library it is made of, and of which age, is nobody's concern."""


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
