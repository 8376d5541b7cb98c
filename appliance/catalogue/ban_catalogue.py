"""The port of bans."""

from typing import Protocol

from appliance.domain.bans import Ban


class BanCatalogue(Protocol):
    """Bans, by id. Every change makes the ban's record due in the same moment."""

    async def put(self, ban: Ban) -> Ban:
        """Add the ban, in place of one of the same subject. Returns it with its version."""

    async def end(self, subject: str, now_s: int) -> Ban:
        """End the subject's ban at `now_s`. Raises UnknownBan if there is none, or if it has ended already."""

    async def all(self) -> list[Ban]:
        """Every ban in the order of ids, ended ones included."""

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget bans that ended before `before_s`, those that ended first. Returns how many."""
