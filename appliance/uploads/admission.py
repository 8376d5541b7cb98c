"""Admission: whether an upload may come in. Every way in asks here, and nothing else decides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from appliance.config.model import Uploads
from appliance.domain.clients import Client
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit
from appliance.spool import Spool, too_large
from appliance.uploads.admission_request import AdmissionRequest, AdmissionRule, UploadStage
from appliance.uploads.drain_switch import DrainSwitch
from appliance.uploads.upload_limits import UploadLimits

__all__ = ["Admission", "AdmissionRequest", "AdmissionRule", "UploadStage"]

BUSY_RETRY_AFTER_S = 5


class Admission:
    """Checks, in this order: the drain switch, the size, the client's limits, the number of running uploads, the disk.

    Then it applies the further `rules` in their order.
    """

    def __init__(
        self,
        limits: Uploads,
        *,
        drain_switch: DrainSwitch,
        upload_limits: UploadLimits,
        spool: Spool,
        rules: Sequence[AdmissionRule] = (),
    ) -> None:
        self.max_bytes = limits.max_bytes
        self._drain_switch = drain_switch
        self._transfers = ConcurrencyLimit("uploads are in progress", limits.concurrency, BUSY_RETRY_AFTER_S)
        self._upload_limits = upload_limits
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

        Raises Draining, TooLarge, RateLimited, BudgetSpent, Busy, DiskFull, and what the rules raise.
        """
        self.require_open()
        self.check_size(request.bytes)
        await self._upload_limits.check(request)
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

        Raises as `check` does. Within the block Busy when the permit goes to another client, and RateLimited or
        BudgetSpent when more bytes come than the client has left.
        """
        await self.check(request)
        with self._upload_limits.account(request) as account:
            async with self._transfers.permit(request.client.id) as permit:
                permit.on_moved = account.arrived
                yield permit

    def begin_upload(self, client: Client) -> None:
        """Count an upload that begins. Raises RateLimited, ProofRequired."""
        self._upload_limits.begin_upload(client)
