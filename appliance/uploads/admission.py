"""Admission: whether an upload is let in. Every way in asks here, and nothing else decides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from appliance.config.model import Uploads
from appliance.domain.clients import Client
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit
from appliance.spool import Spool, too_large
from appliance.uploads.drain_switch import DrainSwitch

BUSY_RETRY_AFTER_S = 5


class OfferKind(Enum):
    """What a request brings."""

    WHOLE = auto()
    """Files from their first byte to their last."""
    OPENING = auto()
    """A new resumable upload, whose bytes may come later."""
    CONTINUING = auto()
    """More bytes of a resumable upload, which was let in when it was opened."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client is about to send: `bytes` at least, as far as its request tells."""

    client: Client
    kind: OfferKind
    bytes: int = 0


class Rule(Protocol):
    """A reason to refuse uploads that only some hosts, clients or kinds of offer have."""

    async def check(self, offer: Offer) -> None:
        """Raises the named error that says why the offer is refused. Counts nothing: it may be asked twice."""


class Admission:
    """Asks, in this order: is the host drained, is the file too large, is there a permit, is there room on the disk.

    Then it asks the further `rules` in theirs.
    """

    def __init__(self, limits: Uploads, *, drain_switch: DrainSwitch, spool: Spool, rules: Sequence[Rule] = ()) -> None:
        self.max_bytes = limits.max_bytes
        self._drain_switch = drain_switch
        self._transfers = ConcurrencyLimit("uploads are in progress", limits.concurrency, BUSY_RETRY_AFTER_S)
        self._spool = spool
        self._rules = rules

    @property
    def arriving(self) -> int:
        """How many uploads are coming in at this moment."""
        return self._transfers.in_use

    def require_open(self) -> None:
        """Raises Draining while the host takes no uploads."""
        self._drain_switch.require_off()

    def check_size(self, announced_bytes: int) -> None:
        """Raises TooLarge for a file that has so many bytes or more."""
        if announced_bytes > self.max_bytes:
            raise too_large(self.max_bytes, announced_bytes)

    async def check(self, offer: Offer) -> None:
        """Refuse the offer before its bytes are sent, where it is certain already that it can't be admitted.

        Raises Draining, TooLarge, Busy, DiskFull, and what the rules raise.
        """
        self.require_open()
        self.check_size(offer.bytes)
        self._transfers.check(offer.client.key)
        await self._spool.check_room(offer.bytes)
        for rule in self._rules:
            await rule.check(offer)

    @asynccontextmanager
    async def admitted(self, offer: Offer) -> AsyncIterator[Permit]:
        """The time in which the bytes come, from the first to the last.

        Raises as `check` does, and Busy within the block when another client has to get the permit.
        """
        await self.check(offer)
        async with self._transfers.permit(offer.client.key) as permit:
            yield permit
