"""The port of what clients used of their day budgets."""

from collections.abc import Mapping
from typing import Protocol


class DayBudgetCatalogue(Protocol):
    """What is used of day budgets, by names of 16 bytes. Days are counted since 1970."""

    async def load(self, day: int, limit: int) -> Mapping[bytes, int]:
        """What is used on the day: the `limit` largest amounts, the largest first."""

    async def add(self, day: int, amounts: Mapping[bytes, int]) -> None:
        """Add amounts, which may be negative, to what is used on the day, and forget some of earlier days."""
