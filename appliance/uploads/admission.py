"""Admission: whether an upload may come in. Every way in asks here, and nothing else decides."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from appliance.config.model import Uploads
from appliance.domain.clients import Client
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit
from appliance.spool import Spool, too_large
from appliance.uploads.admission_request import AdmissionRequest, AdmissionRule, UploadStage
from appliance.uploads.drain_switch import DrainSwitch
from appliance.uploads.upload_limits import UploadAccount, UploadLimits

__all__ = ["Admission", "AdmissionRequest", "AdmissionRule", "UploadStage"]

BUSY_RETRY_AFTER_S = 5
RequireNotBanned = Callable[[Client, str | None], None]
"""Raises Banned for the client, or for the access key with this id."""


@dataclass(frozen=True, slots=True)
class AdmittedUpload:
    """An upload while its bytes come: the permit that it holds, and the account of its bytes."""

    permit: Permit
    account: UploadAccount


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
        require_not_banned: RequireNotBanned,
        rules: Sequence[AdmissionRule] = (),
    ) -> None:
        self.max_bytes = limits.max_bytes
        self._drain_switch = drain_switch
        self._transfers = ConcurrencyLimit("uploads are in progress", limits.concurrency, BUSY_RETRY_AFTER_S)
        self._upload_limits = upload_limits
        self._spool = spool
        self._require_not_banned = require_not_banned
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
        await self._check_rules(request)

    async def identify(self, upload: AdmittedUpload, request: AdmissionRequest) -> None:
        """Decide about the client of the request, who was identified after `check`, and count the upload for it.

        Raises RateLimited, BudgetSpent, and what the rules raise.
        """
        await self._check_rules(request)
        upload.account.move_to(request.client)

    async def _check_rules(self, request: AdmissionRequest) -> None:
        for rule in self._rules:
            await rule.check(request)

    @asynccontextmanager
    async def admitted(self, request: AdmissionRequest) -> AsyncIterator[AdmittedUpload]:
        """Hold a permit while the bytes come in.

        Raises as `check` does. Within the block Busy when the permit goes to another client, RateLimited or BudgetSpent
        when more bytes come than the client has left, and Banned when it is banned meanwhile.
        """
        await self.check(request)
        with self._upload_limits.account(request) as account:
            async with self._transfers.permit(request.client.id) as permit:

                def arrived(count: int) -> None:
                    self._require_not_banned(account.client, request.access_key)
                    account.arrived(count)

                permit.on_moved = arrived
                yield AdmittedUpload(permit, account)

    def begin_upload(self, client: Client) -> Client:
        """Count an upload that begins, or a new album; returns as `ProofOfWork.take`.

        Raises RateLimited, ProofRequired.
        """
        return self._upload_limits.begin_upload(client)
