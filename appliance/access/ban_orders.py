"""Orders of `appliance ban`: what the command asks of a running server or, without one, of the catalogue itself."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from appliance.access.bans import Bans, NewBan


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


async def carry_out_ban(bans: Bans, order: BanOrder) -> dict[str, Any]:
    """The `bans` that the order was about, in values that JSON has.

    Raises InvalidField, Conflict, UnknownKey, UnknownBan.
    """
    match BanVerb(order.verb):
        case BanVerb.LIST:
            found = await bans.all()
        case BanVerb.ADD:
            found = [await bans.add(NewBan(order.whom, order.reason, order.until_s, order.views, order.force))]
        case BanVerb.REMOVE:
            found = [await bans.remove(order.whom)]
    return {"bans": [asdict(ban) for ban in found]}
