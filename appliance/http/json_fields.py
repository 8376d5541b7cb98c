"""The members of JSON bodies, read and checked; errors say which member is wrong and why."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from aiohttp import web

from appliance.catalogue import UNCHANGED, Unchanged
from appliance.domain.clock import Clock
from appliance.domain.errors import InvalidExpiry, InvalidField, MalformedRequest
from appliance.domain.passphrases import check_passphrase
from appliance.domain.upload_options import parse_duration
from appliance.http.transport.request_heads import refuse_other_charsets
from appliance.http.transport.small_bodies import small_body


async def json_object(request: web.Request, members: Collection[str]) -> dict[str, Any]:
    """The body, if it has no other members. Raises MalformedRequest, InvalidField, EncodedBody, SlowUpload, Busy."""
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
    """A text, None for null, UNCHANGED if the member is missing. Raises InvalidField."""
    text = body.get(name, UNCHANGED)
    if isinstance(text, (str, Unchanged)) or text is None:
        return text
    raise InvalidField(f"{name} must be text, or null for none.")


def passphrase_member(body: dict[str, Any]) -> str | Unchanged | None:
    """The member `passphrase`, as `text_member`, checked. Raises InvalidField."""
    text = text_member(body, "passphrase")
    return check_passphrase(text) if isinstance(text, str) else text


def yes_or_no_member(body: dict[str, Any], name: str) -> bool | Unchanged:
    """True or false, UNCHANGED if the member is missing. Raises InvalidField."""
    value = body.get(name, UNCHANGED)
    if isinstance(value, (bool, Unchanged)):
        return value
    raise InvalidField(f"{name} must be true or false.")


def texts_member(body: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, empty if the member is missing. Raises InvalidField."""
    texts = body.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidField(f"{name} must be a list of strings.")
    return tuple(texts)


def asks_to_restore(body: dict[str, Any]) -> bool:
    """Whether `restore` is set to true, or `deleted` to false. Raises InvalidField for any other value."""
    if body.get("restore", True) is not True:
        raise InvalidField("restore can only be true, which restores the item.")
    if body.get("deleted", False) is not False:
        raise InvalidField("deleted can only be false, which restores the item. Use DELETE to delete it.")
    return "restore" in body or "deleted" in body


def expiry_member(body: dict[str, Any], clock: Clock) -> int | None:
    """The requested expiry as a unix second; None if neither member is there. Raises InvalidExpiry."""
    if "expires_in" in body and "expires_at" in body:
        raise InvalidExpiry("Send either expires_in or expires_at, not both.")
    if "expires_at" in body:
        return _parse_time(body["expires_at"])
    if "expires_in" not in body:
        return None
    return int(clock()) + parse_seconds(body["expires_in"])


def parse_seconds(value: object) -> int:
    """Seconds from a number, or from a text with a unit. Raises InvalidExpiry."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidExpiry("expires_in must be whole seconds (3600) or a number with a unit (12h, 30d, 4w).")


def _parse_time(text: object) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return int(moment.timestamp())
    except (ValueError, OverflowError) as fault:
        raise InvalidExpiry("expires_at must be an RFC 3339 time with a time zone: 2027-01-31T12:00:00Z.") from fault
