"""The rows of idempotency records. They are added with the image or album that a request made."""

import sqlite3

from appliance.catalogue.sqlite import statements as sql
from appliance.catalogue.sqlite.readers import Readers
from appliance.catalogue.sqlite.rows import idempotency_of, idempotency_values, packed
from appliance.catalogue.sqlite.writer import Outcome, Writer
from appliance.domain.errors import IdempotencyKeyInUse
from appliance.domain.model import IdempotencyRecord

Connection = sqlite3.Connection


class IdempotencyRows:
    """An `IdempotencyCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def get(self, key_hash: str) -> IdempotencyRecord | None:
        return await self._readers.run(_get, key_hash)

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        return await self._writer.run(lambda connection: _forget(connection, before_s, limit))


def add_record(connection: Connection, record: IdempotencyRecord | None) -> None:
    """Part of a larger change. Raises IdempotencyKeyInUse."""
    if record is None:
        return
    try:
        connection.execute(sql.ADD_IDEMPOTENCY, idempotency_values(record))
    except sqlite3.IntegrityError as error:
        raise IdempotencyKeyInUse(
            "Another request with the same Idempotency-Key has finished. Repeat the request to get its response."
        ) from error


def _get(connection: Connection, key_hash: str) -> IdempotencyRecord | None:
    row = connection.execute(sql.IDEMPOTENCY, {"key_hash": packed(key_hash)}).fetchone()
    return None if row is None else idempotency_of(row)


def _forget(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_IDEMPOTENCY, {"before_s": before_s, "limit": limit}).rowcount)
