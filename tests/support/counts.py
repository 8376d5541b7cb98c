"""Counts of what a path costs, taken in the process itself: no clock is read, so no busy machine can change them."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.sqlite import connections
from appliance.workers.protocol import Order
from appliance.workers.supervised_worker import SupervisedWorker

ORIGINAL, RENDITION = "original", "rendition"


@dataclass
class Counts:
    """Orders to workers by kind and source, statements of the catalogue, and files and folders that were synced."""

    orders: list[tuple[str, str]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    synced: list[Path] = field(default_factory=list)

    def forget(self) -> None:
        """Start anew."""
        for counted in (self.orders, self.statements, self.synced):
            counted.clear()

    def note_statement(self, statement: str) -> None:
        """Checkpoints come when the writer is idle, so they are nobody's."""
        if not statement.startswith("PRAGMA"):
            self.statements.append(statement.strip())

    @property
    def decodes(self) -> int:
        """Decodes of an original."""
        return self.orders.count(("Render", ORIGINAL))

    def queries(self, verb: str) -> int:
        """Statements that begin with the verb."""
        return sum(statement.startswith(verb) for statement in self.statements)


def counting(patch: pytest.MonkeyPatch) -> Counts:
    """Counts everything from now on, in hosts that are opened after this."""
    counts = Counts()
    run, connect = SupervisedWorker.run, connections.connect

    async def counted_run(slot: SupervisedWorker, order: Order, fds: Sequence[int], deadline_s: float) -> Any:
        counts.orders.append((type(order).__name__, _source(fds[0])))
        return await run(slot, order, fds, deadline_s)

    def counted_connect(path: Path, mode: str, cache_kib: int) -> sqlite3.Connection:
        connection = connect(path, mode, cache_kib)
        connection.set_trace_callback(counts.note_statement)
        return connection

    patch.setattr(SupervisedWorker, "run", counted_run)
    patch.setattr(connections, "connect", counted_connect)
    for name in ("fsync", "fdatasync"):
        patch.setattr(os, name, _counted_sync(getattr(os, name), counts))
    return counts


def _counted_sync(real: Any, counts: Counts) -> Any:
    def sync(descriptor: int) -> None:
        counts.synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    return sync


def _source(descriptor: int) -> str:
    """A rendition comes from memory, an original from its file."""
    return RENDITION if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith("/memfd:") else ORIGINAL


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that this process has read from and written to files so far; what goes over sockets does not count."""

    read: int
    written: int

    @classmethod
    def so_far(cls) -> "Traffic":
        lines = Path("/proc/self/io").read_text().splitlines()
        found = {name: int(value) for name, _, value in (line.partition(": ") for line in lines)}
        return cls(found["rchar"], found["wchar"])

    def since(self, before: "Traffic") -> "Traffic":
        return Traffic(self.read - before.read, self.written - before.written)
