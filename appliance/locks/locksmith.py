"""The locksmith: makes locks from passphrases, and checks passphrases, in a bounded lane of its own."""

import math
from collections.abc import Mapping
from typing import Any

from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import Busy, PassphraseProofRequired, WrongPassphrase
from appliance.domain.passphrases import UNREADABLE_LOCK, check_passphrase
from appliance.limits.challenges import Challenges
from appliance.locks import passes
from appliance.locks.guesses import Guesses, network_of
from appliance.locks.passphrases import lock_with, opens
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.threads import Threads

THREADS = 2
"""So many hashes at once, of 19 MiB each."""
MAX_WAITING = 32
MAX_UNPROVEN = 16
"""So many of them without a proof of work: a flood from ever new networks fills half of the lane."""
RETRY_AFTER_S = 2
WHAT = "passphrases are being checked"


class Locksmith:
    """Hashes and checks passphrases on `THREADS` threads; at most `MAX_WAITING` wait, few for one client."""

    def __init__(self, clock: Clock, *, guesses: Guesses, challenges: Challenges) -> None:
        self._clock = clock
        self._threads = Threads("passphrases", THREADS)
        self._limiter = ClientLimiter(WHAT, RETRY_AFTER_S)
        self._guesses = guesses
        self._challenges = challenges
        self._running = 0

    async def close(self) -> None:
        await self._threads.close()

    async def lock(self, passphrase: str, client: Client) -> str:
        """A new lock that this passphrase opens. Raises InvalidField, Busy."""
        checked = check_passphrase(passphrase)
        self._take_place(client)
        try:
            return await self._threads.run(lock_with, checked)
        finally:
            self._leave(client)

    async def require(self, passphrase: str, slug: str, lock: str, client: Client) -> None:
        """Check a passphrase for the lock of `slug`.

        Raises WrongPassphrase, TooManyGuesses, PassphraseProofRequired, InvalidField, Busy.
        """
        checked = check_passphrase(passphrase)
        self._begin(slug, client)
        try:
            is_right = await self._threads.run(opens, checked, lock)
        finally:
            self._leave(client)
        if not is_right:
            raise WrongPassphrase
        self._guesses.forgive(client.id, slug)

    def challenge(self, slug: str, client: Client) -> Mapping[str, Any] | None:
        """What the client has to solve for a try at the lock of `slug`; None if it needs no proof of work."""
        return self._challenges.issue(network_of(client.id)) if self._wait_s(slug, client) else None

    def issue_pass(self, slug: str, lock: str) -> str:
        """What a browser holds for the passphrase of `slug`."""
        return passes.issue(slug, lock, self._clock())

    def accepts_pass(self, text: str, slug: str, lock: str) -> bool:
        """Whether the text is a pass for this lock. One that was lost accepts none."""
        return lock != UNREADABLE_LOCK and passes.is_good(text, slug, lock, self._clock())

    def _begin(self, slug: str, client: Client) -> None:
        """Take a place and count the try. Raises TooManyGuesses, PassphraseProofRequired, Busy, and counts nothing."""
        self._guesses.require(client.id)
        network = network_of(client.id)
        if wait_s := self._wait_s(slug, client):
            proof = client.proof or ""
            if not self._challenges.accepts(proof, network):
                challenge = self._challenges.issue(network)
                raise PassphraseProofRequired(challenge, is_again=bool(proof), retry_after_s=math.ceil(wait_s))
            self._take_place(client)
            self._challenges.spend(proof, network)
        else:
            self._take_place(client)
        self._guesses.count(client.id, slug)

    def _wait_s(self, slug: str, client: Client) -> float:
        """How long until the client may try without a proof of work; 0 for now."""
        return self._guesses.wait_s(client.id, slug) or (RETRY_AFTER_S if self._running >= MAX_UNPROVEN else 0.0)

    def _take_place(self, client: Client) -> None:
        if self._running >= MAX_WAITING:
            raise Busy(
                f"{self._running} {WHAT}, which is the limit of this host. Try again in a few seconds.",
                limit=MAX_WAITING,
                actual=self._running,
                retry_after_s=RETRY_AFTER_S,
            )
        self._limiter.check(client.id, MAX_WAITING)
        self._limiter.take(client.id)
        self._running += 1

    def _leave(self, client: Client) -> None:
        self._limiter.give_back(client.id)
        self._running -= 1
