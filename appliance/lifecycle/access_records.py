"""Access records in the store: what a rebuild, or a restored backup, must know about who may do what.

Each change queues a record, which is written or removed before the change is answered. If the store is unavailable or
the server crashes, a job does it later.
"""

import asyncio
from functools import partial
from weakref import WeakValueDictionary

from appliance.catalogue import RecordOutbox
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.errors import StoreUnavailable
from appliance.lifecycle.prompt_writes import PromptWrites
from appliance.objectstore.access_records import record_bytes, record_key
from appliance.objectstore.observed import ObservedStore
from appliance.objectstore.records import RECORD_TYPE


class StoredAccessRecords:
    """Brings the store's records up to the outbox. One of each thing is written at a time, the newest there is then."""

    def __init__(self, *, outbox: RecordOutbox, store: ObservedStore, prompt_writes: PromptWrites) -> None:
        self._outbox = outbox
        self._store = store
        self._prompt_writes = prompt_writes
        self._locks: WeakValueDictionary[tuple[RecordKind, str], asyncio.Lock] = WeakValueDictionary()

    async def settle_now(self, kind: RecordKind, record_id: str) -> None:
        """Write the record now, if the store answers in time. Otherwise a job writes it later."""
        await self._prompt_writes.attempt(partial(self._settle, kind, record_id))

    async def settle_due(self) -> int:
        """The job: tell the store what it doesn't know yet. Returns of how many things.

        One that fails holds up no other. Raises StoreUnavailable, at once when the store doesn't serve.
        """
        after: AccessRecord | None = None
        settled, failure = 0, None
        while records := await self._outbox.due(after):
            for record in records:
                try:
                    await self._settle(record.kind, record.id)
                except StoreUnavailable as fault:
                    failure = fault
                    await self._store.check()
                else:
                    settled += 1
            after = records[-1]
        if failure is not None:
            raise failure
        return settled

    async def _settle(self, kind: RecordKind, record_id: str) -> None:
        """Write what is due, and then what is newer: another node may have written that before this one was done."""
        async with self._locks.setdefault((kind, record_id), asyncio.Lock()):
            record = await self._outbox.get(kind, record_id)
            while record is not None:
                await self._write(record)
                record = await self._outbox.confirm(record)

    async def _write(self, record: AccessRecord) -> None:
        """Raises StoreUnavailable: then the store may still get it, after a newer one of another node."""
        key = record_key(record.kind, record.id)
        try:
            if record.fields is None:
                await self._store.delete(key)
            else:
                await self._store.put_bytes(key, record_bytes(record), media_type=RECORD_TYPE)
        except StoreUnavailable:
            await self._outbox.enqueue_newer(record)
            raise
