"""What commands may ask of a catalogue without starting it, whatever database is behind it."""

from collections.abc import Sequence
from typing import Protocol

from appliance.catalogue.values import PendingPurges, RowCounts
from appliance.domain.model import Image, Tombstone


class StoredCatalogue(Protocol):
    """A catalogue as it is stored; it is only read, so a server may have it open.

    Everything but `str` may raise CatalogueUnavailable; what reads rows also CatalogueDamaged.
    """

    def __str__(self) -> str:
        """Where it is, for people."""

    def require_engine(self) -> str:
        """The database and its version. Raises UnfitInstallation if it is too old."""

    @property
    def exists(self) -> bool:
        """Whether it was made."""

    def require_present(self) -> None:
        """Raises CommandFailed if there is none."""

    @property
    def size_bytes(self) -> int:
        """How much room it takes."""

    async def find_problems(self) -> list[str]:
        """A sentence for each problem of it or its rows. Reads all of it."""

    async def count_rows(self) -> RowCounts:
        """How many rows of each kind there are. Reads all of it."""

    async def find_rows(self, slugs: Sequence[str]) -> dict[str, Image | Tombstone]:
        """The images and tombstones of those slugs that are known."""

    async def last_known_s(self, note: str) -> int | None:
        """The unix second in that note or, without it, when the newest image was made. None without either."""

    async def logged_since_s(self) -> int | None:
        """Since which unix second changes are logged for a copy; None if they aren't."""

    async def count_pending_purges(self, now_s: int) -> PendingPurges:
        """How many purges are due at `now_s`, and since when."""
