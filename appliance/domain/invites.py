"""Invites: links by which others add images to an album, until a day, a number of images or a size is reached.

The link has a token, of which the host keeps only a hash.
"""

import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum

from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.errors import ClosedInvite, GoneInvite, InviteBytesFull, InviteImagesFull
from appliance.domain.slugs import ALPHABET

ID_CHARS = 10


class Sees(StrEnum):
    """What guests see of the album besides its title."""

    NOTHING = "nothing"
    OWN = "own"
    """What they have added on the same device."""
    ALBUM = "album"


class InviteState(StrEnum):
    """Whether guests may add images, and if not, why."""

    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invite:
    """One link to an album, by the album's slug. Times are unix seconds.

    `max_images` and `max_bytes` are for all guests together. `version` counts changes.
    """

    id: str
    album: str
    token_hash: str
    created_s: int
    expires_s: int
    max_images: int
    max_bytes: int
    sees: Sees = Sees.NOTHING
    closed_s: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class InviteUsage:
    """What was added by an invite, deleted images included."""

    images: int = 0
    bytes: int = 0


def generate_id() -> str:
    """A new invite's id, which is no secret."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_CHARS))


def require_open(invite: Invite, now_s: float) -> None:
    """Raises ClosedInvite, GoneInvite."""
    if invite.closed_s is not None:
        raise ClosedInvite
    if invite.expires_s <= now_s:
        raise GoneInvite


def require_room(invite: Invite, usage: InviteUsage, file_bytes: int) -> None:
    """Raises InviteFull where one more image of so many bytes would exceed what the invite allows."""
    if usage.images >= invite.max_images:
        raise InviteImagesFull(limit=invite.max_images, actual=usage.images + 1)
    if usage.bytes + file_bytes > invite.max_bytes:
        raise InviteBytesFull(limit=invite.max_bytes, actual=usage.bytes + file_bytes)


def state_of(invite: Invite, usage: InviteUsage, now_s: float) -> InviteState:
    """The state, apart from that of the album."""
    if invite.closed_s is not None:
        return InviteState.CLOSED
    if invite.expires_s <= now_s:
        return InviteState.EXPIRED
    is_full = usage.images >= invite.max_images or usage.bytes >= invite.max_bytes
    return InviteState.FULL if is_full else InviteState.OPEN


def record_of(invite: Invite) -> AccessRecord:
    """What the store has to know of the invite: everything."""
    known = asdict(invite)
    del known["id"], known["version"]
    known["sees"] = invite.sees.value
    return AccessRecord(RecordKind.INVITE, invite.id, invite.version, known)


def invite_of(record: AccessRecord) -> Invite:
    """The invite that the record describes. Raises KeyError, TypeError or ValueError if it describes none."""
    known = dict(record.fields or {})
    closed_s = known.get("closed_s")
    return Invite(
        id=record.id,
        album=str(known["album"]),
        token_hash=str(known["token_hash"]),
        created_s=int(known["created_s"]),
        expires_s=int(known["expires_s"]),
        max_images=int(known["max_images"]),
        max_bytes=int(known["max_bytes"]),
        sees=Sees(known["sees"]),
        closed_s=None if closed_s is None else int(closed_s),
        version=record.version,
    )
