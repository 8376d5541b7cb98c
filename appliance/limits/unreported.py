"""Usage under one policy that the other nodes haven't heard of yet."""

from collections import OrderedDict

MAX_CLIENTS = 20_000
"""About 4 MB. Beyond it, the oldest are never reported: whoever has so many addresses meets the limits on everybody."""


class Unreported:
    """Amounts by client. What is less than `least` units waits until it is more, since it would change little."""

    def __init__(self, least: float, max_clients: int = MAX_CLIENTS) -> None:
        self._least = least
        self._max_clients = max_clients
        self._waiting: OrderedDict[str, float] = OrderedDict()
        self._due: OrderedDict[str, float] = OrderedDict()

    @property
    def is_due(self) -> bool:
        """Whether there is something to report now."""
        return bool(self._due)

    def __len__(self) -> int:
        """How many clients are in it."""
        return len(self._waiting) + len(self._due)

    def add(self, client: str, amount: float) -> None:
        """Note a use. A negative amount gives back."""
        if client in self._due:
            self._due[client] += amount
            return
        amount += self._waiting.pop(client, 0.0)
        kept = self._due if abs(amount) >= self._least else self._waiting
        kept[client] = amount
        if len(kept) > self._max_clients:
            kept.popitem(last=False)

    def take(self, max_clients: int) -> dict[str, float]:
        """What is due now, of so many clients at most. From then on it counts as reported."""
        return dict(self._due.popitem(last=False) for _ in range(min(max_clients, len(self._due))))
