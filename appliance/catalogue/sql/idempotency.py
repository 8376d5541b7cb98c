"""The rows of idempotency records. They are added with the image or album that a request made."""

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.rows import idempotency_of, idempotency_values, packed
from appliance.catalogue.sql.writer import Writer
from appliance.domain.errors import IdempotencyKeyInUse
from appliance.domain.model import IdempotencyRecord


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
    if connection.execute(sql.ADD_IDEMPOTENCY, idempotency_values(record)).rowcount != 1:
        raise IdempotencyKeyInUse(
            "Another request with the same Idempotency-Key has finished. Repeat the request to get its response."
        )


def _get(connection: Connection, key_hash: str) -> IdempotencyRecord | None:
    row = connection.execute(sql.IDEMPOTENCY, {"key_hash": packed(key_hash)}).fetchone()
    return None if row is None else idempotency_of(row)


def _forget(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_IDEMPOTENCY, {"before_s": before_s, "limit": limit}).rowcount)
