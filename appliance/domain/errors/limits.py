"""Errors of clients that are at a limit of their own. Waiting helps."""

from collections.abc import Mapping
from typing import Any, ClassVar

from appliance.domain.byte_sizes import format_size
from appliance.domain.errors.base import ApplianceError, figures_of, fill_in
from appliance.domain.limit_texts import format_wait, limit_texts
from appliance.domain.quotas import Policy

_SENTENCES = limit_texts()


class LimitReached(ApplianceError):
    """A client is at the limit that `policy` describes. `left` units of its quota are left.

    Without a `detail`, the policy's sentence is it.
    """

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
        wait_s = retry_after_s or self.wait_s
        if policy is not None and not detail:
            figures = figures_of({"limit": limit, "left": left}, "{:,}".format, format_size)
            detail = fill_in([_SENTENCES.get(policy.name, "")], {**figures, "when": format_wait(wait_s)}) or ""
        super().__init__(detail, limit=limit, actual=actual, retry_after_s=wait_s)
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
    texts = ("This is more than this host still accepts today. Continue tomorrow.",)
    wait_s = 3600


class TooManyGuesses(LimitReached):
    """The address, or its network, sent too many wrong passphrases lately."""

    code = "too-many-guesses"
    title = "There were too many wrong passphrases"
    texts = ("There were too many wrong passphrases from your network. Try again later.",)
    wait_s = 600


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
