"""Unfinished uploads: whose each is, and how many a client, and all together, may have.

Whose they are is forgotten by a restart, for addresses are written down nowhere.
"""

import asyncio

from appliance.catalogue import UploadCatalogue
from appliance.domain.clients import THIS_HOST, Client
from appliance.domain.clock import Clock
from appliance.domain.errors import Busy
from appliance.shared.client_limiter import MIN_SHARE, ClientLimiter
from appliance.uploads.admission import Offer, OfferKind

CROWDED = 0.75  # of the uploads that may be unfinished; the rest is for clients that have few
COUNT_EVERY_S = 1.0
RETRY_AFTER_S = 60


class UnfinishedUploads:
    """A rule of admission: refuses new resumable uploads beyond `limit`. They go by the hashes of their ids."""

    def __init__(self, limit: int, *, rows: UploadCatalogue, clock: Clock) -> None:
        self._limit = limit
        self._rows = rows
        self._clock = clock
        self._limiter = ClientLimiter("uploads are unfinished", RETRY_AFTER_S)
        self._clients: dict[str, Client] = {}
        self._count = 0
        self._counted_s = -COUNT_EVERY_S

    async def check(self, offer: Offer) -> None:
        """Raises Busy for a new upload beyond a client's share, or beyond what is left.

        Many clients that each have their share are not to keep out those that have few.
        """
        if offer.kind is not OfferKind.OPENING:
            return
        client = offer.client.key
        self._limiter.check(client, self._limit)
        await self._recount()
        is_crowded = self._count + 1 > self._limit * CROWDED and self._limiter.held(client) >= MIN_SHARE
        if is_crowded or self._count >= self._limit:
            raise Busy(
                f"{self._count:,} uploads are unfinished, and this host allows {self._limit:,}. Finish yours, or try "
                "again in a few minutes.",
                limit=self._limit,
                retry_after_s=RETRY_AFTER_S,
            )

    async def _recount(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._counted_s >= COUNT_EVERY_S:
            self._counted_s = now_s
            self._count = await self._rows.count_unfinished(int(self._clock()), self._limit)

    def begin(self, id_hash: str, client: Client) -> None:
        """Count one more, the client's, until it ends. Raises Busy."""
        self._limiter.check(client.key, self._limit)
        self._limiter.take(client.key)
        self._clients[id_hash] = client
        self._count += 1

    def client_of(self, id_hash: str) -> Client:
        """Whose it is; this host's own where that is not known."""
        return self._clients.get(id_hash, THIS_HOST)

    def end(self, id_hash: str) -> None:
        """Release the client's share. Does nothing for an upload whose client is not known."""
        if (client := self._clients.pop(id_hash, None)) is not None:
            self._limiter.give_back(client.key)
