"""Errors of clients that are at a limit of their own. Waiting helps."""

from collections.abc import Mapping
from typing import Any, ClassVar

from appliance.domain.errors.base import ApplianceError
from appliance.domain.quotas import Policy


class LimitReached(ApplianceError):
    """A client is at the limit that `policy` describes. `left` units of its quota are left."""

    wait_s: ClassVar[int]
    """How long to wait where nothing more is known."""

    def __init__(
        self,
        detail: str = "",
        *,
        limit: int | None = None,
        actual: int | None = None,
        retry_after_s: int | None = None,
        policy: Policy | None = None,
        left: int = 0,
    ) -> None:
        super().__init__(detail, limit=limit, actual=actual, retry_after_s=retry_after_s or self.wait_s)
        self.policy = policy
        self.left = left


class RateLimited(LimitReached):
    """The client asks for more than this host allows in a short time."""

    code = "rate-limited"
    title = "Too many requests"
    texts = ("This is more than this host allows at once. Continue in a moment.",)
    wait_s = 1


class BudgetSpent(LimitReached):
    """The upload doesn't fit into what is left of the day's amount. `left` bytes would."""

    code = "budget-spent"
    title = "Daily limit reached"
    texts: tuple[str, ...] = (
        "This is more than this host still accepts today. The limit is {limit_size} a day. Continue tomorrow.",
        "This is more than this host still accepts today. Continue tomorrow.",
    )
    wait_s = 3600


class KeyImagesSpent(BudgetSpent):
    """As many images as the access key allows in a day were uploaded with it."""

    texts = (
        "With this access key, {limit} images can be uploaded in a day. Continue tomorrow.",
        "No more images can be uploaded with this access key today. Continue tomorrow.",
    )


class ProofRequired(ApplianceError):
    """Very much is uploaded at the moment: the client solves the `challenge` first, or waits for `retry_after_s`.

    `is_again`: the solution that came with the request is wrong, or counts no more.
    """

    code = "proof-required"
    title = "The server is receiving a lot of uploads"
    texts = ("The server is receiving a lot of uploads. Wait a minute, then try again.",)
    for_programmers = True

    def __init__(
        self, challenge: Mapping[str, Any] | None = None, *, is_again: bool = False, retry_after_s: int | None = None
    ) -> None:
        why = "The proof of work is not valid, or was used before." if is_again else f"{self.title}."
        how = f"{why} Solve the challenge and send the solution in the header Proof-Of-Work, or wait."
        super().__init__(how if challenge else "", retry_after_s=retry_after_s)
        self.challenge = challenge


class PassphraseProofRequired(ProofRequired):
    """Very many wrong passphrases came for an image or album: the next one needs the same proof."""

    title = "Too many wrong passphrases"
    texts = ("Very many wrong passphrases were entered here. Enter yours again, or wait some minutes.",)
