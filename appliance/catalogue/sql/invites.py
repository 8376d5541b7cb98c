"""The rows of invites, and of what was added by each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.due_records import enqueue_record
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.rows import packed, unpacked
from appliance.catalogue.sql.writer import Writer
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.errors import Conflict, UnknownInvite
from appliance.domain.invites import (
    Invite,
    InviteState,
    InviteUsage,
    Sees,
    record_of,
    require_open,
    require_room,
    state_of,
)
from appliance.domain.model import Image

Found = tuple[Invite, InviteUsage]
ENDED = (InviteState.CLOSED, InviteState.EXPIRED)


class InviteRows:
    """An `InviteCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, invite: Invite, *, max_invites: int) -> None:
        await self._writer.run(lambda connection: _add(connection, invite, max_invites))

    async def get(self, invite_id: str) -> Found | None:
        return await self._readers.run(_find, sql.INVITE, {"id": invite_id})

    async def by_token(self, token_hash: str) -> Found | None:
        return await self._readers.run(_find, sql.INVITE_BY_TOKEN, {"token_hash": packed(token_hash)})

    async def of_album(self, album: str) -> Sequence[Found]:
        return await self._readers.run(_of_album, album)

    async def close(self, invite_id: str, now_s: int) -> Invite:
        return await self._writer.run(lambda connection: _close(connection, invite_id, now_s))


def count_guest_image(connection: Connection, image: Image) -> str | None:
    """Part of adding an image: count it for its invite. The slug of the invite's album; None without an invite.

    Raises UnknownInvite, GoneInvite, InviteFull: the invite may have ended while the image came.
    """
    if image.invite is None:
        return None
    found = _find(connection, sql.INVITE, {"id": image.invite})
    if found is None:
        raise UnknownInvite
    invite, usage = found
    require_open(invite, image.created_s)
    require_room(invite, usage, image.bytes)
    connection.execute(sql.COUNT_GUEST_IMAGE, {"id": invite.id, "bytes": image.bytes})
    return invite.album


def forget_invites(connection: Connection, album: str) -> None:
    """Part of erasing an album: nothing of its invites is left, here or in the store."""
    for invite, _ in _of_album(connection, album):
        _forget(connection, invite)


def find_invite(connection: Connection, invite_id: str) -> Invite | None:
    """The invite with this id, closed or not."""
    found = _find(connection, sql.INVITE, {"id": invite_id})
    return None if found is None else found[0]


def invite_values(invite: Invite) -> Mapping[str, Any]:
    """The parameters that write the invite."""
    return asdict(invite) | {"token_hash": packed(invite.token_hash), "sees": invite.sees.value}


def _add(connection: Connection, invite: Invite, max_invites: int) -> Outcome[None]:
    others = _of_album(connection, invite.album)
    if len(others) >= max_invites:
        ended = [each for each, usage in others if state_of(each, usage, invite.created_s) in ENDED]
        if not ended:
            raise Conflict(f"This album has {max_invites} open guest links already. Close one of them first.")
        _forget(connection, ended[-1])
    if connection.execute(sql.ADD_INVITE, invite_values(invite)).rowcount != 1:
        raise Conflict("The generated id is already in use. Try again.")
    enqueue_record(connection, record_of(invite))
    return Outcome(None)


def _find(connection: Connection, statement: str, values: Mapping[str, object]) -> Found | None:
    row = connection.execute(statement, values).fetchone()
    return None if row is None else _found(row)


def _of_album(connection: Connection, album: str) -> list[Found]:
    return [_found(row) for row in connection.execute(sql.INVITES_OF, {"album": album}).fetchall()]


def _close(connection: Connection, invite_id: str, now_s: int) -> Outcome[Invite]:
    invite = find_invite(connection, invite_id)
    if invite is None:
        raise UnknownInvite
    if invite.closed_s is not None:
        return Outcome(invite)
    closed = replace(invite, closed_s=now_s, version=invite.version + 1)
    connection.execute(sql.CHANGE_INVITE, invite_values(closed))
    enqueue_record(connection, record_of(closed))
    return Outcome(closed)


def _forget(connection: Connection, invite: Invite) -> None:
    connection.execute(sql.REMOVE_INVITE, {"id": invite.id})
    enqueue_record(connection, AccessRecord(RecordKind.INVITE, invite.id, invite.version + 1, None))


def _found(row: tuple[Any, ...]) -> Found:
    *known, images, size_bytes = row
    invite = Invite(*known)
    invite = replace(invite, token_hash=unpacked(row[2]), sees=Sees(invite.sees))
    return invite, InviteUsage(images, size_bytes)
