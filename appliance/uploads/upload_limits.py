"""The limits of uploads: how many one client may begin, and how many bytes it may bring, in a minute and in a day.

What a request announces is compared before its body is read, and counted when it is let in. What comes beyond that is
counted as it comes, and what doesn't come is given back.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.domain.clients import Client
from appliance.limits import DayBudgets, KeyUploads, Rate
from appliance.uploads.admission_request import AdmissionRequest, UploadStage

STEP_BYTES = 1_000_000
"""Bytes that weren't announced are counted in steps, ahead, which costs nothing that can be measured."""


class UploadLimits:
    """An `AdmissionRule`, and the accounts of the uploads that it let in."""

    def __init__(self, *, uploads: Rate, key_uploads: KeyUploads, minute_bytes: Rate, day_budgets: DayBudgets) -> None:
        self._uploads = uploads
        self._key_uploads = key_uploads
        self._minute_bytes = minute_bytes
        self._day_budgets = day_budgets

    async def check(self, request: AdmissionRequest) -> None:
        """Raises RateLimited, BudgetSpent."""
        client = request.client.id
        if request.stage is UploadStage.ASSEMBLING:  # its bytes were counted when they came
            return
        if request.stage is UploadStage.CONTINUING:
            self._minute_bytes.require_no_debt(client)
            self._day_budgets.require(client, 1)
            return
        self._key_uploads.require(request.client.access_key)
        self._uploads.require(client)
        self._minute_bytes.require(client, request.bytes)
        self._day_budgets.require(client, request.bytes)

    def begin_upload(self, client: Client) -> None:
        """Count one upload. Raises RateLimited."""
        self._key_uploads.take(client.access_key)
        self._uploads.take(client.id)

    @contextmanager
    def account(self, request: AdmissionRequest) -> Iterator["UploadAccount"]:
        """The account of a request, while its bytes come. Raises RateLimited, BudgetSpent."""
        account = UploadAccount(request, self._minute_bytes, self._day_budgets)
        try:
            yield account
        finally:
            account.settle()


class UploadAccount:
    """What one request has brought, and what was counted for it."""

    def __init__(self, request: AdmissionRequest, minute_bytes: Rate, day_budgets: DayBudgets) -> None:
        self._client = request.client.id
        self._can_resume = request.stage is UploadStage.CONTINUING
        self._minute_bytes = minute_bytes
        self._day_budgets = day_budgets
        self._arrived = 0
        self._counted = 0
        if request.bytes:
            self._admit(request.bytes)

    def arrived(self, count: int) -> None:
        """Note bytes before they are kept.

        Raises BudgetSpent when they are more than the day has left. Raises RateLimited when the upload can be resumed
        and the client is over its rate; any other may go on to its end, and the client's next one waits.
        """
        self._arrived += count
        if self._arrived <= self._counted:
            return
        step = max(STEP_BYTES, self._arrived - self._counted)
        if self._can_resume:
            self._minute_bytes.require_no_debt(self._client)
        self._day_budgets.require(self._client, self._arrived - self._counted)
        self._count(step)

    def settle(self) -> None:
        """Give back what was counted and did not come."""
        self._count(self._arrived - self._counted)

    def _admit(self, announced_bytes: int) -> None:
        """Count what is announced, once more compared: others of the client may have been let in since the check."""
        self._day_budgets.require(self._client, announced_bytes)
        self._minute_bytes.require(self._client, announced_bytes)
        self._count(announced_bytes)

    def _count(self, count: int) -> None:
        if count:
            self._counted += count
            self._minute_bytes.charge(self._client, count)
            self._day_budgets.charge(self._client, count)
