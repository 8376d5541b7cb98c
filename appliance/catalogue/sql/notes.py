"""The rows of notes: what a job leaves for its next run."""

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.writer import Writer


class NoteRows:
    """`Notes`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def get(self, name: str) -> str | None:
        return await self._readers.run(get_note, name)

    async def set(self, name: str, value: str) -> None:
        await self._writer.run(lambda connection: _set(connection, name, value))


def get_note(connection: Connection, name: str) -> str | None:
    """The note's text, or None."""
    row = connection.execute(sql.NOTE, {"name": name}).fetchone()
    return None if row is None else str(row[0])


def set_note(connection: Connection, name: str, value: str) -> None:
    """Part of a larger change."""
    connection.execute(sql.SET_NOTE, {"name": name, "value": value})


def _set(connection: Connection, name: str, value: str) -> Outcome[None]:
    set_note(connection, name, value)
    return Outcome(None)
