"""The locksmith: makes locks from passphrases, and checks passphrases, each in a bounded lane of its own."""

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
from appliance.locks.lane import RETRY_AFTER_S, HashingLane
from appliance.locks.passphrases import lock_with, opens

CHECKING_THREADS = 2
"""So many passphrases are checked at once, with 19 MiB each."""
SETTING_THREADS = 1
"""So many locks are made at once: many of them hold up nobody who has a passphrase."""
MAX_CALLS = 32
"""So many run and wait in each lane."""
MAX_UNPROVEN = 16
"""So many checks without a proof of work: a flood from ever new networks fills half of the lane."""


class Locksmith:
    """Hashes and checks passphrases, in lanes that serve networks in turn."""

    def __init__(self, clock: Clock, *, guesses: Guesses, challenges: Challenges) -> None:
        self._clock = clock
        self._checking = HashingLane("passphrases are being checked", threads=CHECKING_THREADS, max_calls=MAX_CALLS)
        self._setting = HashingLane("passphrases are being set", threads=SETTING_THREADS, max_calls=MAX_CALLS)
        self._guesses = guesses
        self._challenges = challenges

    async def close(self) -> None:
        await self._checking.close()
        await self._setting.close()

    async def lock(self, passphrase: str, client: Client) -> str:
        """A new lock that this passphrase opens. Raises InvalidField, Busy."""
        return await self._setting.run(network_of(client.id), lock_with, check_passphrase(passphrase))

    async def require(self, passphrase: str, slug: str, lock: str, client: Client) -> None:
        """Check a passphrase for the lock of `slug`.

        Raises WrongPassphrase, TooManyGuesses, PassphraseProofRequired, InvalidField, Busy.
        """
        checked = check_passphrase(passphrase)
        self._begin(slug, client)
        try:
            is_right = await self._checking.run(network_of(client.id), opens, checked, lock)
        except Busy:  # it was not checked
            self._guesses.forgive(client.id, slug)
            raise
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
        """Count the try. Raises TooManyGuesses, PassphraseProofRequired, Busy, and counts nothing."""
        self._guesses.require(client.id)
        network = network_of(client.id)
        if wait_s := self._wait_s(slug, client):
            proof = client.proof or ""
            if not self._challenges.accepts(proof, network):
                challenge = self._challenges.issue(network)
                raise PassphraseProofRequired(challenge, is_again=bool(proof), retry_after_s=math.ceil(wait_s))
            self._checking.require_room(network)
            self._challenges.spend(proof, network)
        self._guesses.count(client.id, slug)

    def _wait_s(self, slug: str, client: Client) -> float:
        """How long until the client may try without a proof of work; 0 for now."""
        return self._guesses.wait_s(client.id, slug) or (RETRY_AFTER_S if len(self._checking) >= MAX_UNPROVEN else 0.0)
