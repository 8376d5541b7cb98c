"""The port of notes."""

from typing import Protocol


class Notes(Protocol):
    """Short texts by name that a job leaves for its next run."""

    async def get(self, name: str) -> str | None:
        """The text, or None if none was left."""

    async def set(self, name: str, value: str) -> None:
        """Leave a text, which replaces the one before."""
