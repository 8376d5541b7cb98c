"""The limits of uploads: how many one client may begin, and how many bytes it may bring, in a minute and in a day.

What a request announces is compared before its body is read, and counted for its client when it is let in. What comes
beyond that is counted as it comes, and what doesn't come is given back. For everybody without a key together only what
has come is counted: else somebody who announces much, and sends nothing, would shut out all others.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.domain.clients import Client
from appliance.limits import DayBudgets, DayTally, Limits, Rate
from appliance.uploads.admission_request import AdmissionRequest, UploadStage

STEP_BYTES = 1_000_000
"""Bytes that weren't announced are counted in steps, ahead, which costs nothing that can be measured."""


class UploadLimits:
    """An `AdmissionRule`, and the accounts of the uploads that it let in."""

    def __init__(self, limits: Limits) -> None:
        self._uploads = limits.uploads
        self._key_uploads = limits.key_uploads
        self._proof_of_work = limits.proof_of_work
        self._minute_bytes = limits.minute_bytes
        self._day_budgets = limits.day_budgets

    async def check(self, request: AdmissionRequest) -> None:
        """Raises RateLimited, BudgetSpent."""
        if request.stage is UploadStage.ASSEMBLING:  # whose bytes were counted when they came
            return
        if request.is_repeat:
            for account in request.client.accounts:
                self._minute_bytes.require(account, request.bytes)
            return
        if request.stage is not UploadStage.CONTINUING:
            self._key_uploads.require(request.client.access_key)
        for account in request.client.accounts:
            if request.stage is UploadStage.CONTINUING:
                self._minute_bytes.require_no_debt(account)
                self._day_budgets.require(account, 1)
            else:
                self._day_budgets.require(account, request.bytes)  # first: what fits no day need not wait a minute
                self._uploads.require(account)
                self._minute_bytes.require(account, request.bytes)

    def begin_upload(self, client: Client) -> Client:
        """Count one upload; returns as `ProofOfWork.take`. Raises RateLimited, ProofRequired."""
        self._key_uploads.require(client.access_key)
        for account in client.accounts:
            self._uploads.require(account)
        proven = self._proof_of_work.take(client)
        self._key_uploads.take(client.access_key)
        for account in client.accounts:
            self._uploads.take(account)
        return proven

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
        self.client = request.client
        self._is_repeat = request.is_repeat
        self._can_resume = request.stage is UploadStage.CONTINUING
        self._minute_bytes = minute_bytes
        self._day_budgets = day_budgets
        self._day_of_client = DayTally(day_budgets.charge_client, day_budgets.today)
        self._day_of_all = DayTally(day_budgets.charge_together, day_budgets.today)
        self._announced = request.bytes
        self._arrived = 0
        self._counted = 0
        if request.bytes:
            self._admit(request.bytes)

    @property
    def _accounts(self) -> tuple[str, ...]:
        return self.client.accounts

    @property
    def _day_accounts(self) -> tuple[str, ...]:
        return () if self._is_repeat else self._accounts  # nothing of a repeat is kept

    def move_to(self, client: Client) -> None:
        """Count for the client, who was identified only now, and no longer for the address.

        Raises RateLimited, BudgetSpent where the client may not upload so much.
        """
        if client.accounts == self._accounts:
            return
        self._count(-self._counted)
        self._count_together(-self._arrived)
        self.client = client
        self._count_together(self._arrived)
        self._admit(max(self._announced, self._arrived))

    def arrived(self, count: int) -> None:
        """Note bytes before they are kept.

        Raises BudgetSpent when they are more than the day has left. Raises RateLimited when the upload can be resumed
        and the client is over its rate; any other may continue to its end, and the client's next one waits.
        """
        if (more := self._arrived + count - self._counted) > 0:
            self._count_more(more)
        self._count_together(count)
        self._arrived += count

    def _count_more(self, count: int) -> None:
        """Count bytes that weren't announced."""
        for account in self._accounts if self._can_resume else ():
            self._minute_bytes.require_no_debt(account)
        for account in self._day_accounts:
            self._day_budgets.require(account, count)
        self._count(max(STEP_BYTES, count))

    def settle(self) -> None:
        """Give back what was counted and did not come."""
        self._count(self._arrived - self._counted)

    def _admit(self, announced_bytes: int) -> None:
        """Count what is announced, once more compared: others of the client may have been let in since the check."""
        for account in self._day_accounts:
            self._day_budgets.require(account, announced_bytes)
        for account in self._accounts:
            self._minute_bytes.require(account, announced_bytes)
        self._count(announced_bytes)

    def _count(self, count: int) -> None:
        if not count:
            return
        self._counted += count
        for account in self._accounts:
            self._minute_bytes.charge_client(account, count)
        self._day_of_client.charge(self._day_accounts, count)

    def _count_together(self, count: int) -> None:
        """Count bytes that have come for everybody without a key together."""
        self._day_of_all.charge(self._day_accounts, count)
        for account in self._accounts:
            self._minute_bytes.charge_together(account, count)
