"""Details of originals, read by a worker when somebody asks for them, and remembered."""

from typing import NamedTuple

from cachetools import LRUCache

from appliance.delivery.originals import Originals
from appliance.domain.clients import Clients
from appliance.domain.details import Details, permitted
from appliance.domain.model import Image, KeepMetadata
from appliance.limits import ProcessorBudget
from appliance.shared.single_flight import Flight, SingleFlight
from appliance.workers import Workers

MAX_REMEMBERED = 1024  # of up to 7 KB each, mostly of a few hundred bytes


class _Key(NamedTuple):
    """What details follow from: an original that is replaced, or cleaned again, has others."""

    slug: str
    sha256: str
    keep: KeepMetadata


class DetailsReader:
    """Has the details of an original read once, however many ask at the same time, in the turn of any of them."""

    def __init__(self, *, workers: Workers, originals: Originals, processor_budget: ProcessorBudget) -> None:
        self._workers = workers
        self._originals = originals
        self._budget = processor_budget
        self._flights: SingleFlight[_Key, Details] = SingleFlight()
        self._remembered: LRUCache[_Key, Details] = LRUCache(MAX_REMEMBERED)

    async def read(self, image: Image, clients: Clients) -> Details:
        """What the original of a resolved image says, as far as its uploader wanted it kept.

        Raises RateLimited, Busy, StoreUnavailable, GoneImage, Stopping.
        """
        key = _Key(image.slug, image.sha256, permitted(image))
        remembered = self._remembered.get(key)
        if remembered is not None:
            return remembered
        self._budget.require(clients)
        return await self._flights.run(key, lambda flight: self._read(image, key, flight), clients)

    async def _read(self, image: Image, key: _Key, flight: Flight) -> Details:
        with await self._originals.file(image, flight.clients) as file:
            details = await self._workers.read_details(file.fileno(), key.keep, flight.clients, self._budget.charge)
        self._remembered[key] = details
        return details

    async def close(self) -> None:
        """Give up what is being read. Everyone who waits gets Stopping."""
        await self._flights.close()
