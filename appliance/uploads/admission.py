"""Admission: whether an upload may come in. Every way in asks here, and nothing else decides."""

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


class UploadStage(Enum):
    """Which part of an upload a request brings."""

    WHOLE = auto()
    """Files from their first byte to their last."""
    OPENING = auto()
    """A new resumable upload, whose bytes may come later."""
    CONTINUING = auto()
    """More bytes of a resumable upload, which was admitted when it was opened."""


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What a client is about to send: at least `bytes`, to be kept for `expires_in_s`, as far as the request tells.

    `key_may_follow`: a field of the form may still bring an access key, so another request is made for its first file.
    """

    client: Client
    stage: UploadStage
    bytes: int = 0
    expires_in_s: int | None = None
    key_may_follow: bool = False


class AdmissionRule(Protocol):
    """A reason to refuse uploads that only some hosts, clients or stages have."""

    async def check(self, request: AdmissionRequest) -> None:
        """Raises the error that says why the request is refused. Counts nothing: it may be called twice."""


class Admission:
    """Checks, in this order: the drain switch, the size, the number of running uploads, the room on the disk.

    Then it applies the further `rules` in their order.
    """

    def __init__(
        self, limits: Uploads, *, drain_switch: DrainSwitch, spool: Spool, rules: Sequence[AdmissionRule] = ()
    ) -> None:
        self.max_bytes = limits.max_bytes
        self._drain_switch = drain_switch
        self._transfers = ConcurrencyLimit("uploads are in progress", limits.concurrency, BUSY_RETRY_AFTER_S)
        self._spool = spool
        self._rules = rules

    @property
    def in_progress(self) -> int:
        """How many uploads are coming in now."""
        return self._transfers.in_use

    def require_open(self) -> None:
        """Raises Draining while the host takes no uploads."""
        self._drain_switch.require_off()

    def check_size(self, announced_bytes: int) -> None:
        """Raises TooLarge for a file of at least so many bytes."""
        if announced_bytes > self.max_bytes:
            raise too_large(self.max_bytes, announced_bytes)

    async def check(self, request: AdmissionRequest) -> None:
        """Refuse the request before its bytes are sent, if it is certain that it can't be admitted.

        Raises Draining, TooLarge, Busy, DiskFull, and what the rules raise.
        """
        self.require_open()
        self.check_size(request.bytes)
        self._transfers.check(request.client.id)
        await self._spool.check_room(request.bytes)
        await self.check_rules(request)

    async def check_rules(self, request: AdmissionRequest) -> None:
        """Apply the further rules alone, as for a client who was identified after `check`. Raises what they raise."""
        for rule in self._rules:
            await rule.check(request)

    @asynccontextmanager
    async def admitted(self, request: AdmissionRequest) -> AsyncIterator[Permit]:
        """Hold a permit while the bytes come in.

        Raises as `check` does, and Busy within the block when the permit goes to another client.
        """
        await self.check(request)
        async with self._transfers.permit(request.client.id) as permit:
            yield permit
