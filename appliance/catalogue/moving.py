"""Copies the rows of one catalogue into another one, whatever databases they are in, and compares every row.

A copy walks the tables in the order of their keys, a batch at a time: it reads the same keys on both sides, writes what
is missing or differs, removes what is no longer there, and reads again what it wrote. So a copy that was interrupted
continues, since what is already there is only compared, and so a second pass brings it up to what changed since.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.domain.errors import CommandFailed

BATCH = 10_000
MAX_NAMED = 5
Key = tuple[Any, ...]
StoredRow = tuple[Any, ...]
"""The values of a row as they are stored: whole numbers, texts, bytes, None."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the columns that are its primary key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def keyed(self, rows: Sequence[StoredRow]) -> dict[Key, StoredRow]:
        """The rows by their keys, in the same order."""
        places = [self.columns.index(name) for name in self.key]
        return {tuple([row[place] for place in places]): row for row in rows}


@dataclass(frozen=True, slots=True)
class KeySpan:
    """The keys above `after` (without it, from the first) up to and with `last` (without it, to the end)."""

    after: Key | None = None
    last: Key | None = None


class RowSource(Protocol):
    """The catalogue that is copied, in one consistent state. Its methods raise CatalogueUnavailable,
    CatalogueDamaged.
    """

    def __str__(self) -> str:
        """Where it is, for people."""

    @property
    def is_owned(self) -> bool:
        """Whether no server can change it before this ends."""

    def count(self, tables: Sequence[Table]) -> int:
        """How many rows there are. Reads all of it."""

    def read(self, table: Table, span: KeySpan, max_rows: int) -> list[StoredRow]:
        """The first rows of the span, in the order of their keys."""

    def retire(self, target: str) -> None:
        """Keep servers from it, durably, because its rows are in `target` now; it has to be owned."""


class RowTarget(Protocol):
    """The catalogue that becomes the same; no server starts on it before `release`. Its methods raise
    CatalogueUnavailable, DiskFull.
    """

    def __str__(self) -> str:
        """Where it is, for people."""

    def read(self, table: Table, span: KeySpan, max_rows: int) -> list[StoredRow]:
        """The first rows of the span, in the order of their keys."""

    def write(self, table: Table, gone: Sequence[Key], rows: Sequence[StoredRow]) -> None:
        """Remove the rows of these keys, then add these, in one transaction that is durable on return."""

    def release(self) -> None:
        """Let servers use it, durably."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows were compared, and how many of them were written or removed."""

    compared: int = 0
    changed: int = 0

    def __add__(self, other: "Copied") -> "Copied":
        return Copied(self.compared + other.compared, self.changed + other.changed)


class CatalogueMove:
    """A copy from `source` to `target`, whose schemas are the same."""

    def __init__(self, source: RowSource, target: RowTarget, tables: Sequence[Table]) -> None:
        self.source = source
        self.target = target
        self._tables = tables

    @property
    def is_final(self) -> bool:
        """Whether nothing changes the source meanwhile, so that the copy can replace it."""
        return self.source.is_owned

    def count(self) -> int:
        """How many rows will be compared. Reads all of the source."""
        return self.source.count(self._tables)

    def run(self, progress: Callable[[int], object]) -> Copied:
        """Make the target's rows those of the source; `progress` gets the number of rows of each batch.

        Raises CommandFailed if rows differ after they were written, and whatever source and target raise.
        """
        total = Copied()
        for table in self._tables:
            total += self._copy(table, progress)
        return total

    def finish(self) -> None:
        """Let the target replace the source. Killed in between, neither is used by a server; running again helps."""
        self.source.retire(str(self.target))
        self.target.release()

    def _copy(self, table: Table, progress: Callable[[int], object]) -> Copied:
        total, after = Copied(), None
        while True:
            rows = self.source.read(table, KeySpan(after), BATCH)
            last = next(iter(table.keyed(rows[-1:]))) if len(rows) == BATCH else None
            total += Copied(len(rows), self._bring_up(table, KeySpan(after, last), rows))
            progress(len(rows))
            if last is None:
                return total
            after = last

    def _bring_up(self, table: Table, span: KeySpan, rows: Sequence[StoredRow]) -> int:
        """Make the target's rows of the span these. Returns how many were added, replaced or removed."""
        there = self.target.read(table, span, 2 * BATCH)
        if there == rows:
            return 0
        wanted = table.keyed(rows)
        removed = 0
        while len(there) == 2 * BATCH:  # at least half of them are of no use
            surplus = [key for key in table.keyed(there) if key not in wanted]
            self.target.write(table, surplus, [])
            removed += len(surplus)
            there = self.target.read(table, span, 2 * BATCH)
        had = table.keyed(there)
        gone = [key for key, row in had.items() if wanted.get(key) != row]
        new = [row for key, row in wanted.items() if had.get(key) != row]
        self.target.write(table, gone, new)
        self._require_same(table, span, wanted)
        return removed + len(new) + sum(key not in wanted for key in gone)

    def _require_same(self, table: Table, span: KeySpan, wanted: dict[Key, StoredRow]) -> None:
        found = table.keyed(self.target.read(table, span, 2 * BATCH))
        if found != wanted:
            differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
            named = ", ".join(_shown(key) for key in differing[:MAX_NAMED])
            raise CommandFailed(
                f"{len(differing):,} rows of the table {table.name} differ in {self.target} though they were just "
                f"written, such as {named}. Does something else write there? The copy is not complete."
            )


def _shown(key: Key) -> str:
    return "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)
