"""The log of what changes in a catalogue while it is copied: the keys of changed rows, which triggers write.

It is no part of the schema: a copy makes it and ends it. A row's key is there once, however often the row changed, so
the log never has more keys than rows were changed.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Turn:
    """A part of the log: a logged key has the number of the turn in which its row changed last.

    The token is random. A catalogue that doesn't have it was restored from before the turn, or is another one.
    """

    number: int
    token: str


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """What a target says of itself.

    All its rows were as in the source when the turn `whole` had begun; without it, some were never compared. Since then
    it may have got rows that changed before the turn with the token `touched`; without it, it has got none.
    """

    whole: Turn | None = None
    touched: str | None = None


class ChangeLog(Protocol):
    """The log of the catalogue that a server has open."""

    async def begin_turn(self) -> Turn:
        """Log in a new turn what changes from now on. Makes the log where there is none, or not all of it."""

    async def end(self) -> None:
        """Log no more, and forget what was logged; without a log that does nothing."""


class ServerLog(Protocol):
    """The same, asked of a server by a command."""

    def begin_turn(self) -> Turn | None:
        """None where the server keeps no log."""

    def end(self) -> None:
        """Raises CommandFailed."""
