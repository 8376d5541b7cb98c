"""Whether this node's store is the one that the other nodes use: an object there, whose hash the catalogue has."""

import hashlib
import secrets

from appliance.catalogue import NodeCatalogue, Notes
from appliance.domain.errors import NodeStoreDiffers, ObjectMissing, StoreUnavailable
from appliance.membership.home import Home
from appliance.objectstore import ObjectStore

MARKER = "nodes/store-id"
MAX_MARKER_BYTES = 64
STORE_HASH = "nodes/store"
"""The note with the hash of the marker."""
LEASE, LEASE_S = "store-marker", 60


class StoreProof:
    """Compares the store with the catalogue, once for each start. `address` says which store this is, in words."""

    def __init__(self, address: str, *, nodes: NodeCatalogue, notes: Notes, store: ObjectStore) -> None:
        self._address = address
        self._nodes = nodes
        self._notes = notes
        self._store = store

    async def require(self, node: str, home: Home) -> None:
        """Raises NodeStoreDiffers; StoreUnavailable where the store is away and was never proven for this home.

        Also raises StoreUnavailable while another node leaves the marker of a new store.
        """
        expected = await self._notes.get(STORE_HASH)
        try:
            await self._store.start()
            found = await self._marker()
        except StoreUnavailable:
            if expected is not None and home.proven_store == self._proof(expected):
                return
            raise
        if expected is None:
            expected = await self._agreed(node, found)
        elif found is None or _hash(found) != expected:
            raise NodeStoreDiffers(
                f"{self._address} is not the store of the other nodes: the object {MARKER} is "
                f"{'missing there' if found is None else 'another one'}. Give this node the settings of their store "
                "(section store)."
            )
        if home.proven_store != self._proof(expected):
            home.with_store(self._proof(expected))

    async def _agreed(self, node: str, found: bytes | None) -> str:
        """Leave a marker and its hash, unless another node does at this moment."""
        if not await self._nodes.acquire(LEASE, node, LEASE_S):
            raise StoreUnavailable("Another node prepares the store. Try again in a moment.")
        try:
            if await self._notes.get(STORE_HASH):
                raise StoreUnavailable("Another node has prepared the store. Try again in a moment.")
            marker = found or secrets.token_hex(MAX_MARKER_BYTES // 2).encode()
            if found is None:
                await self._store.put_bytes(MARKER, marker, media_type="text/plain")
            await self._notes.set(STORE_HASH, _hash(marker))
        finally:
            await self._nodes.release(LEASE, node)
        return _hash(marker)

    async def _marker(self) -> bytes | None:
        try:
            reader = await self._store.open(MARKER, 0, MAX_MARKER_BYTES)
        except ObjectMissing:
            return None
        async with reader:
            return b"".join([chunk async for chunk in reader])

    def _proof(self, store_hash: str) -> str:
        return f"{self._address} {store_hash}"


def _hash(marker: bytes) -> str:
    return hashlib.sha256(marker).hexdigest()
