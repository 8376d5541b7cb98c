"""What one upload has charged to the day, so that what it gives back goes to the same day."""

from collections.abc import Callable, Iterable

Charge = Callable[[str, int], None]
"""Charges a client for bytes, as the methods of `DayBudgets` do."""


class DayTally:
    """Charges accounts for bytes. `today` counts the days; what was charged on an earlier one is not given back."""

    def __init__(self, charge: Charge, today: Callable[[], int]) -> None:
        self._charge = charge
        self._today = today
        self._day = today()
        self._charged = 0

    def charge(self, accounts: Iterable[str], count: int) -> None:
        """Charge each of the accounts. A negative count gives back. Raises as the charge does."""
        if (today := self._today()) != self._day:
            self._day, self._charged = today, 0
        count = max(count, -self._charged)
        for account in accounts:
            self._charge(account, count)
        self._charged += count
