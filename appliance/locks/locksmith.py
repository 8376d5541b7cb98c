"""The locksmith: makes locks from passphrases, and checks passphrases, in a bounded lane of its own."""

from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import Busy, WrongPassphrase
from appliance.domain.passphrases import UNREADABLE_LOCK, check_passphrase
from appliance.locks import passes
from appliance.locks.guesses import Guesses
from appliance.locks.passphrases import lock_with, opens
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.threads import Threads

THREADS = 2
"""So many hashes at once, of 19 MiB each."""
MAX_WAITING = 32
RETRY_AFTER_S = 2
WHAT = "passphrases are being checked"


class Locksmith:
    """Hashes and checks passphrases on `THREADS` threads; at most `MAX_WAITING` wait, few for one client."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._threads = Threads("passphrases", THREADS)
        self._limiter = ClientLimiter(WHAT, RETRY_AFTER_S)
        self._guesses = Guesses(clock)
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
        """Check a passphrase for the lock of `slug`. Raises WrongPassphrase, TooManyGuesses, InvalidField, Busy."""
        checked = check_passphrase(passphrase)
        self._guesses.begin(client.id, slug)
        try:
            self._take_place(client)
        except Busy:
            self._guesses.forgive(client.id, slug)
            raise
        try:
            is_right = await self._threads.run(opens, checked, lock)
        finally:
            self._leave(client)
        if not is_right:
            raise WrongPassphrase
        self._guesses.forgive(client.id, slug)

    def issue_pass(self, slug: str, lock: str) -> str:
        """What a browser holds for the passphrase of `slug`."""
        return passes.issue(slug, lock, self._clock())

    def accepts_pass(self, text: str, slug: str, lock: str) -> bool:
        """Whether the text is a pass for this lock. One that was lost accepts none."""
        return lock != UNREADABLE_LOCK and passes.is_good(text, slug, lock, self._clock())

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
