"""The port of invites."""

from collections.abc import Sequence
from typing import Protocol

from appliance.domain.invites import Invite, InviteUsage


class InviteCatalogue(Protocol):
    """Invites, by id, and what was added by each. They are forgotten when their album is erased.

    Every change makes the invite's record due in the same moment. `ImageCatalogue.add` counts what is added.
    """

    async def add(self, invite: Invite, *, max_invites: int) -> None:
        """Add an invite. Where its album has `max_invites`, the oldest that is closed or expired is forgotten.

        Raises Conflict if its id is in use, or if all of them are open.
        """

    async def get(self, invite_id: str) -> tuple[Invite, InviteUsage] | None:
        """The invite, ended ones included, and what was added by it."""

    async def by_token(self, token_hash: str) -> tuple[Invite, InviteUsage] | None:
        """The invite with this token, ended ones included, and what was added by it."""

    async def of_album(self, album: str) -> Sequence[tuple[Invite, InviteUsage]]:
        """The invites of an album, ended ones included, the newest first."""

    async def close(self, invite_id: str, now_s: int) -> Invite:
        """Close the invite; closing twice is fine, and the first time counts. Raises UnknownInvite."""
