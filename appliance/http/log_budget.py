"""The log budget: how many lines about refused requests are written in a minute, so that a flood fills no log."""

import logging
import time
from collections import Counter
from collections.abc import Callable

MINUTE_S = 60.0
MAX_CLIENT_LINES, MAX_LINES = 30, 300
"""Of one client, and of all together. A person, or a program that has a fault, causes fewer."""
MAX_NAMED = 5

log = logging.getLogger("appliance.access")


class LogBudget:
    """Counts lines in memory, by client. Used from the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_s = clock() + MINUTE_S
        self._lines: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def has_room(self, client: str) -> bool:
        """Count a line about the client. False, and then it is counted as left out, where the minute has no room."""
        if self._lines[client] < MAX_CLIENT_LINES and self._lines.total() < MAX_LINES:
            self._lines[client] += 1
            return True
        is_named = client in self._left_out or len(self._left_out) < MAX_LINES
        self._left_out[client if is_named else ""] += 1
        return False

    def settle(self) -> None:
        """Once a minute is over, say how many lines it left out, and begin the next one."""
        if (now_s := self._clock()) < self._ends_s:
            return
        if left_out := self._left_out.total():
            named = [client for client, _ in self._left_out.most_common(MAX_NAMED) if client]
            fields = {"lines": left_out, "clients": ", ".join(named)}
            log.warning("lines about refused requests were left out", extra=fields)
        self._lines.clear()
        self._left_out.clear()
        self._ends_s = now_s + MINUTE_S
