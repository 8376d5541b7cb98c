"""Guesses: how many wrong passphrases one address, one network, and everybody together for one lock, may send.

Anyone who guesses is refused; anyone who doesn't is never kept out by others. Where very many wrong passphrases came
for one lock, a network has some tries for it, and needs a proof of work for each further one.

A passphrase is counted before it is checked, and forgotten when it was right, so that parallel guesses gain nothing.
Counts are in memory only, and bounded; those unused for longest are forgotten first.
"""

from collections.abc import Callable, Container

from appliance.domain.errors import RateLimited, TooManyGuesses
from appliance.domain.networks import prefix_of
from appliance.domain.quotas import Policy, QuotaScope, Unit
from appliance.limits.buckets import Buckets
from appliance.limits.rates import Rate
from appliance.limits.refusals import Refusals

WINDOW_S = 600
"""In which as many may be sent as at once: counts go down by one in WINDOW_S / count."""
BY_ADDRESS = 20
"""A person who mixes up passphrases, or several behind one address."""
BY_NETWORK = 60
BY_LOCK = 200
"""10.5 million a year: a passphrase of five random words (64 bits) is safe for longer than images are kept."""
BY_NETWORK_AND_LOCK = 3
"""Tries without a proof of work at a lock that is being guessed: a person who knows the passphrase needs two."""

SENDERS = (
    Policy("address-guesses", QuotaScope.ADDRESS, Unit.GUESSES, BY_ADDRESS, WINDOW_S),
    Policy("prefix-guesses", QuotaScope.PREFIX, Unit.GUESSES, BY_NETWORK, WINDOW_S),
    Policy("key-guesses", QuotaScope.KEY, Unit.GUESSES, BY_ADDRESS, WINDOW_S),
)
LOCK = Policy("lock-guesses", QuotaScope.ANONYMOUS, Unit.GUESSES, BY_LOCK, WINDOW_S)
NETWORK_AND_LOCK = Policy("lock-prefix-guesses", QuotaScope.PREFIX, Unit.GUESSES, BY_NETWORK_AND_LOCK, WINDOW_S)


class Guesses:
    """Counts wrong passphrases by senders and locks. Used from the event loop only; `clock` never goes back.

    Clients in `aside` have many people behind their address, so that only their locks' counts hold.
    """

    def __init__(self, clock: Callable[[], float], *, aside: Container[str], refusals: Refusals) -> None:
        self._clock = clock
        self._senders = Rate(SENDERS, clock=clock, aside=aside, refusals=refusals)
        self._locks = Buckets(LOCK)
        self._networks = Buckets(NETWORK_AND_LOCK)

    def require(self, client: str) -> None:
        """Raises TooManyGuesses for a client that may send no passphrase now. Counts nothing."""
        try:
            self._senders.require(client)
        except RateLimited as fault:
            raise TooManyGuesses(
                limit=fault.limit,
                actual=fault.actual,
                retry_after_s=fault.retry_after_s,
                policy=fault.policy,
                left=fault.left,
            ) from None

    def wait_s(self, client: str, slug: str) -> float:
        """How long until the client may try this lock without a proof of work; 0 for now."""
        now_s = self._clock()
        if self._locks.wait_s(slug, 1.0, now_s) <= 0.0:
            return 0.0
        return max(0.0, self._networks.wait_s(_name(client, slug), 1.0, now_s))

    def count(self, client: str, slug: str) -> None:
        """Count a passphrase that is about to be checked."""
        self._charge(client, slug, 1.0)

    def forgive(self, client: str, slug: str) -> None:
        """The passphrase was right."""
        self._charge(client, slug, -1.0)

    def _charge(self, client: str, slug: str, cost: float) -> None:
        now_s = self._clock()
        self._senders.charge(client, cost)
        self._locks.charge(slug, cost, now_s)
        self._networks.charge(_name(client, slug), cost, now_s)


def _name(client: str, slug: str) -> str:
    return f"{slug} {network_of(client)}"


def network_of(client: str) -> str:
    """The network of a client that is an address; others count by themselves."""
    return prefix_of(client) or client
