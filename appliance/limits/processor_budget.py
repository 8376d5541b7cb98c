"""The budget of processor seconds: what making views costs the workers is charged to the clients who asked.

A view costs what it takes, which is known only afterwards. So a client may go into debt once, and then new work waits
until the debt is paid off. What is in a cache is always served.
"""

from collections.abc import Iterable

from appliance.domain.clients import Clients
from appliance.limits.rates import Rate

ZIP_BYTES_PER_S = 1_000_000_000
"""How much of a zip file a processor makes in a second: reading, checksums, sending."""


class ProcessorBudget:
    """Charges and refuses. Work that several clients asked for is shared between them."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate

    def require(self, clients: Clients) -> None:
        """Raises RateLimited when every one of these clients is in debt."""
        if all(map(self.is_spent, clients)):
            self._rate.require(clients.first, 0.0)

    def is_spent(self, client: str) -> bool:
        """Whether the client is in debt."""
        return self._rate.is_in_debt(client)

    def charge(self, clients: Iterable[str], seconds: float) -> None:
        """Charge the clients for seconds of a worker."""
        names = tuple(clients)
        for name in names:
            self._rate.charge(name, seconds / len(names))

    def charge_zip(self, client: str, count: int) -> None:
        """Charge the client for bytes of a zip file."""
        self._rate.charge(client, count / ZIP_BYTES_PER_S)
