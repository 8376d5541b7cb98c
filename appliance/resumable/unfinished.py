"""Unfinished uploads: which client each belongs to, and how many a client and all clients together may have.

A restart forgets which client they belong to. Until the day is over, their rows say which address began them
(`limits.sealed_addresses`); after that they belong to the client that continues them.
"""

import asyncio

from appliance.catalogue import UploadCatalogue
from appliance.domain.clients import THIS_HOST, Client
from appliance.domain.clock import Clock
from appliance.domain.errors import Busy
from appliance.domain.resumable_uploads import Upload
from appliance.limits import SealedAddresses
from appliance.shared.client_limiter import MIN_SHARE, ClientLimiter
from appliance.uploads.admission import AdmissionRequest, UploadStage

CROWDED = 0.75  # of the limit; the rest is for clients that have few
COUNT_EVERY_S = 1.0
RETRY_AFTER_S = 60


class UnfinishedUploads:
    """An admission rule: refuses new resumable uploads beyond `limit`. They go by the hashes of their ids.

    They are counted in the catalogue, at most every `count_every_s`; those that begin are added in between.
    """

    def __init__(
        self,
        limit: int,
        *,
        rows: UploadCatalogue,
        sealed_addresses: SealedAddresses,
        clock: Clock,
        count_every_s: float = COUNT_EVERY_S,
    ) -> None:
        self._limit = limit
        self._rows = rows
        self._sealed_addresses = sealed_addresses
        self._clock = clock
        self._limiter = ClientLimiter("uploads are unfinished", RETRY_AFTER_S)
        self._clients: dict[str, Client] = {}
        self.count_every_s = count_every_s
        self._count = 0
        self._counted_s = -count_every_s

    async def check(self, request: AdmissionRequest) -> None:
        """Raises Busy for a new upload beyond a client's share, or beyond the limit.

        Clients that have their share leave the last quarter of the limit to those that have few.
        """
        if request.stage not in (UploadStage.OPENING, UploadStage.ASSEMBLING):
            return
        client = request.client.id
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
        if now_s - self._counted_s >= self.count_every_s:
            self._counted_s = now_s
            self._count = await self._rows.count_unfinished(int(self._clock()), self._limit)

    def sealed_address(self, id_hash: str, client: Client) -> bytes | None:
        """What the row of an upload keeps of the address that creates it."""
        return self._sealed_addresses.seal(id_hash, client)

    def begin(self, id_hash: str, client: Client) -> None:
        """Count an upload of the client's until it ends. Raises Busy."""
        self._limiter.check(client.id, self._limit)
        self._limiter.take(client.id)
        self._clients[id_hash] = client
        self._count += 1

    def adopt(self, upload: Upload, client: Client) -> None:
        """Count an upload whose client isn't known for the address that began it, or for the one that continues it."""
        if upload.id_hash not in self._clients:
            beginner = self._sealed_addresses.client_of(upload)
            owner = client if beginner is None or beginner.address == client.address else beginner
            self._limiter.take(owner.id)
            self._clients[upload.id_hash] = owner

    def client_of(self, upload: Upload) -> Client:
        """The client of an upload; this host itself where that is not known."""
        return self._clients.get(upload.id_hash) or self._sealed_addresses.client_of(upload) or THIS_HOST

    def has_proven(self, id_hash: str) -> bool:
        """Whether the client of the upload solved a challenge when it began it."""
        return self._clients.get(id_hash, THIS_HOST).has_proven

    def end(self, id_hash: str) -> None:
        """Release the client's share. No-op for an upload that nobody has continued since a restart."""
        if (client := self._clients.pop(id_hash, None)) is not None:
            self._limiter.give_back(client.id)
