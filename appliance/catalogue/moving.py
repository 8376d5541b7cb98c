"""Copies the rows of one catalogue into another one, whatever databases they are in, and compares every row.

A copy walks the tables in the order of their keys, a batch at a time: it reads the same keys on both sides, writes what
is missing or differs, removes what is no longer there, and reads again what it wrote. So a copy that was interrupted
continues, since what is already there is only compared.

While servers change the source, it logs the keys of what they change (`change_log`). Once a pass has compared all rows,
later ones compare only those that were logged since. A turn of the log begins before the rows of a pass are read, so it
has at least what the pass doesn't see. A second one begins once they can be read, and its token is in the target before
the first of them: a source that knows the token has at least what the target got.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from appliance.catalogue.change_log import CopyProgress, Turn
from appliance.domain.errors import CatalogueUnavailable, CommandFailed

BATCH = 10_000
MAX_NAMED = 5
Key = tuple[Any, ...]
StoredRow = tuple[Any, ...]
"""The values of a row as they are stored: whole numbers, texts, bytes, None."""
Tell = Callable[[str], object]
"""Called, from any thread, with a sentence for people about what a copy waits for."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the columns that are its primary key, with their types in SQLite."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    key_types: tuple[str, ...]

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
    """The catalogue that is copied. Its methods raise CatalogueUnavailable, CatalogueDamaged."""

    def __str__(self) -> str:
        """Where it is, for people."""

    @property
    def is_owned(self) -> bool:
        """Whether no server can change it before this ends."""

    def begin_turn(self) -> Turn | None:
        """Log in a new turn what changes from now on. None where nothing logs, and without a log once it is owned."""

    def begin_snapshot(self) -> None:
        """From now on all rows, and the log, are read as they are at this moment."""

    def has_changes_since(self, progress: CopyProgress) -> bool:
        """Whether the log has every change since a target made this progress."""

    def count(self, tables: Sequence[Table]) -> int:
        """How many rows there are. Reads all of it."""

    def count_changed(self, tables: Sequence[Table], since: Turn) -> int:
        """How many keys the log has of this turn and later ones. Reads all of it."""

    def read(self, table: Table, span: KeySpan, max_rows: int) -> list[StoredRow]:
        """The first rows of the span, in the order of their keys."""

    def changed_keys(self, table: Table, since: Turn, after: Key | None, max_keys: int) -> list[Key]:
        """The first keys above `after` that were logged in this turn or later, in their order."""

    def rows_of(self, table: Table, keys: Sequence[Key]) -> list[StoredRow]:
        """The rows of these keys, as far as there are any, in any order."""

    def end_log(self) -> None:
        """Log no more, and forget what was logged."""

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

    def rows_of(self, table: Table, keys: Sequence[Key]) -> list[StoredRow]:
        """The rows of these keys, as far as there are any, in any order."""

    def progress(self) -> CopyProgress:
        """What earlier passes have left."""

    def begin_pass(self, whole: Turn | None, token: str | None) -> None:
        """Note durably that rows may come that changed before the turn with this token, if there is one.

        Of earlier progress, only `whole` is kept.
        """

    def end_pass(self, whole: Turn) -> None:
        """Note durably that all rows are as in the source when the turn had begun."""

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
    """A copy from `source` to `target`, whose schemas are the same, of what the source had when this was begun.

    It compares what was logged in the turn `since` and later, or all rows. At its end the target is as the source was
    in the turn `whole`, if changes are logged.
    """

    def __init__(
        self, source: RowSource, target: RowTarget, tables: Sequence[Table], since: Turn | None, whole: Turn | None
    ) -> None:
        self.source = source
        self.target = target
        self._tables = tables
        self._since = since
        self._whole = whole

    @classmethod
    def begin(cls, source: RowSource, target: RowTarget, tables: Sequence[Table]) -> Self:
        """Begin the snapshot of the source, between two turns of its log. Raises whatever source and target raise."""
        before = source.begin_turn()
        source.begin_snapshot()
        after = None if before is None else source.begin_turn()
        if before is None or after is None:
            target.begin_pass(None, None)
            return cls(source, target, tables, None, None)
        progress = target.progress()
        since = progress.whole if source.has_changes_since(progress) else None
        target.begin_pass(since, after.token)
        return cls(source, target, tables, since, Turn(before.number, after.token))

    @classmethod
    def begin_unlogged(cls, source: RowSource, target: RowTarget, tables: Sequence[Table]) -> Self:
        """Begin a copy that doesn't replace its source: nothing is logged, and all rows are compared."""
        source.begin_snapshot()
        target.begin_pass(None, None)
        return cls(source, target, tables, None, None)

    @property
    def is_final(self) -> bool:
        """Whether nothing changes the source meanwhile, so that the copy can replace it."""
        return self.source.is_owned

    @property
    def is_logged(self) -> bool:
        """Whether the next pass compares only what changes from now on."""
        return self._whole is not None

    @property
    def is_of_changes(self) -> bool:
        """Whether this pass compares only what changed since an earlier one."""
        return self._since is not None

    def count(self) -> int:
        """How many rows will be compared. Reads all of the source, or of its log."""
        if self._since is not None:
            return self.source.count_changed(self._tables, self._since)
        return self.source.count(self._tables)

    def run(self, progress: Callable[[int], object]) -> Copied:
        """Make the target's rows those of the source; `progress` gets the number of rows of each batch.

        Raises CommandFailed if rows differ after they were written, and whatever source and target raise.
        """
        total = Copied()
        for table in self._tables:
            if self._since is None:
                total += self._copy(table, progress)
            else:
                total += self._copy_changed(table, self._since, progress)
        if self._whole is not None:
            self.target.end_pass(self._whole)
        return total

    def finish(self) -> None:
        """Let the target replace the source. Killed in between, neither is used by a server; running again helps."""
        self.source.retire(str(self.target))
        self.target.release()
        with contextlib.suppress(CatalogueUnavailable):  # a dump may be reading; nobody writes there any more
            self.source.end_log()

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

    def _copy_changed(self, table: Table, since: Turn, progress: Callable[[int], object]) -> Copied:
        total, after = Copied(), None
        while keys := self.source.changed_keys(table, since, after, BATCH):
            wanted = table.keyed(self.source.rows_of(table, keys))
            total += Copied(len(keys), self._bring_up_keys(table, keys, wanted))
            progress(len(keys))
            after = keys[-1]
        return total

    def _bring_up_keys(self, table: Table, keys: Sequence[Key], wanted: dict[Key, StoredRow]) -> int:
        """Make the target's rows of these keys those. Returns how many were added, replaced or removed."""

        def found() -> dict[Key, StoredRow]:
            return table.keyed(self.target.rows_of(table, keys))

        return self._replace(table, found(), wanted, found)

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

        def found() -> dict[Key, StoredRow]:
            return table.keyed(self.target.read(table, span, 2 * BATCH))

        return removed + self._replace(table, table.keyed(there), wanted, found)

    def _replace(
        self,
        table: Table,
        had: dict[Key, StoredRow],
        wanted: dict[Key, StoredRow],
        found: Callable[[], dict[Key, StoredRow]],
    ) -> int:
        """Write what is wanted instead of what is there, and read it again. Returns how many rows that were."""
        gone = [key for key, row in had.items() if wanted.get(key) != row]
        new = [row for key, row in wanted.items() if had.get(key) != row]
        if not gone and not new:
            return 0
        self.target.write(table, gone, new)
        self._require_same(table, wanted, found())
        return len(new) + sum(key not in wanted for key in gone)

    def _require_same(self, table: Table, wanted: dict[Key, StoredRow], found: dict[Key, StoredRow]) -> None:
        if found != wanted:
            differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
            named = ", ".join(_shown(key) for key in differing[:MAX_NAMED])
            raise CommandFailed(
                f"{len(differing):,} rows of the table {table.name} differ in {self.target} though they were just "
                f"written, such as {named}. Does something else write there? The copy is not complete."
            )


def _shown(key: Key) -> str:
    return "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)
