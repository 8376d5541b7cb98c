"""Orders of `appliance ban`: what the command asks of a running server or, without one, of the catalogue itself."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from appliance.access.bans import Bans, NewBan
from appliance.catalogue import RecordOutbox
from appliance.domain.access_records import RecordKind
from appliance.domain.bans import Ban


class BanVerb(StrEnum):
    """What to do."""

    ADD = "add"
    LIST = "list"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class BanOrder:
    """One order, in values that JSON has. All but `verb` and `whom` is for a new ban, as in `NewBan`."""

    verb: str
    whom: str = ""
    reason: str = ""
    until_s: int | None = None
    views: bool = False
    force: bool = False


async def carry_out_ban(bans: Bans, records: RecordOutbox, order: BanOrder) -> dict[str, Any]:
    """The `bans` that the order was about, in values that JSON has, and whether the store knows of the change.

    Raises InvalidField, Conflict, UnknownKey, UnknownBan.
    """
    match BanVerb(order.verb):
        case BanVerb.LIST:
            return {"bans": [await _described(bans, ban) for ban in await bans.all()], "in_store": True}
        case BanVerb.ADD:
            ban = await bans.add(NewBan(order.whom, order.reason, order.until_s, order.views, order.force))
        case BanVerb.REMOVE:
            ban = await bans.remove(order.whom)
    return {"bans": [await _described(bans, ban)], "in_store": await records.get(RecordKind.BAN, ban.id) is None}


async def _described(bans: Bans, ban: Ban) -> dict[str, Any]:
    return asdict(ban) | {"name": await bans.name_of(ban)}
