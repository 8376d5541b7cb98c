"""The members of JSON bodies: read, and told in words where they are not what they should be."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from aiohttp import web

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.clock import Clock
from appliance.domain.errors import InvalidExpiry, InvalidField, MalformedRequest
from appliance.domain.upload_options import parse_duration
from appliance.http.transport.request_heads import refuse_other_charsets
from appliance.http.transport.small_bodies import small_body


async def json_object(request: web.Request, members: Collection[str]) -> dict[str, Any]:
    """The body, with these members at most. Raises MalformedRequest, InvalidField, EncodedBody, SlowUpload, Busy."""
    try:
        async with small_body(request):
            refuse_other_charsets(request.charset)
            text = (await request.read()).decode()
        body = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise MalformedRequest("The body is not JSON.") from fault
    if not isinstance(body, dict):
        raise MalformedRequest("The body is not a JSON object.")
    unknown = sorted(set(body) - set(members))
    if unknown:
        raise InvalidField(f"“{unknown[0][:40]}” is not allowed here. Allowed fields: {', '.join(sorted(members))}.")
    return body


def text_member(body: dict[str, Any], name: str) -> str | Unchanged | None:
    text = body.get(name, UNCHANGED)
    if isinstance(text, (str, Unchanged)) or text is None:
        return text
    raise InvalidField(f"{name} must be text, or null for none.")


def texts_member(body: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, empty where there is none. Raises InvalidField."""
    texts = body.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidField(f"{name} must be a list of strings.")
    return tuple(texts)


def restores(body: dict[str, Any]) -> bool:
    """Whether `deleted` is set to false. Raises InvalidField for any other value."""
    if body.get("deleted", False) is not False:
        raise InvalidField("deleted can only be false, which restores the item. Use DELETE to delete it.")
    return "deleted" in body


def expiry_member(body: dict[str, Any], clock: Clock) -> int | None:
    """The wished expiry as a unix second; None without a wish. Raises InvalidExpiry."""
    if "expires_in" in body and "expires_at" in body:
        raise InvalidExpiry("Send either expires_in or expires_at, not both.")
    if "expires_at" in body:
        return _moment(body["expires_at"])
    if "expires_in" not in body:
        return None
    return int(clock()) + seconds_of(body["expires_in"])


def seconds_of(wished: object) -> int:
    """Seconds from a number or a text with its unit. Raises InvalidExpiry."""
    if isinstance(wished, str):
        return parse_duration(wished)
    if isinstance(wished, int) and not isinstance(wished, bool):
        return wished
    raise InvalidExpiry("expires_in must be whole seconds (3600) or a number with a unit (12h, 30d, 4w).")


def _moment(text: object) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return int(moment.timestamp())
    except (ValueError, OverflowError) as fault:
        raise InvalidExpiry("expires_at must be an RFC 3339 time with a time zone: 2027-01-31T12:00:00Z.") from fault
