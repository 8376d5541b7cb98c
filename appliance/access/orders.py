"""Orders of `appliance key`: what the command asks of a running server or, without one, of the catalogue itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from appliance.access.keys import AccessKeys, NewKey
from appliance.catalogue import RecordOutbox
from appliance.domain.access_keys import AccessKey, KeyUsage, Scope, limits_of
from appliance.domain.access_records import RecordKind


class Verb(StrEnum):
    """What to do."""

    ADD = "add"
    LIST = "list"
    REVOKE = "revoke"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """One order, in values that JSON has. `name` may be an id; the rest is for a new key."""

    verb: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    expires_in_s: int | None = None
    limits: Mapping[str, int | None] = field(default_factory=dict)


async def carry_out(keys: AccessKeys, records: RecordOutbox, order: KeyOrder) -> dict[str, Any]:
    """The result in values that JSON has: `keys`, each with what is used, and the `text` of a new secret or None.

    `in_store` says whether the store knows of the change. Raises InvalidField, Conflict, UnknownKey.
    """
    text: str | None
    match Verb(order.verb):
        case Verb.LIST:
            return {"keys": [_described(key, usage) for key, usage in await keys.all()], "text": None, "in_store": True}
        case Verb.ADD:
            scopes = tuple(Scope(scope) for scope in order.scopes)
            key, text = await keys.add(NewKey(order.name, scopes, order.expires_in_s, limits_of(order.limits)))
        case Verb.ROTATE:
            key, text = await keys.rotate(order.name)
        case Verb.REVOKE:
            key, text = await keys.revoke(order.name), None
    in_store = await records.get(RecordKind.KEY, key.id) is None
    return {"keys": [_described(key, await keys.usage(key))], "text": text, "in_store": in_store}


def _described(key: AccessKey, usage: KeyUsage) -> dict[str, Any]:
    known = asdict(key)
    del known["secret_hash"], known["former_hash"], known["version"]
    return known | {"scopes": [scope.value for scope in key.scopes], "used": asdict(usage)}
