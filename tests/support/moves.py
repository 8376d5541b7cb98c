"""A catalogue that servers change while `appliance catalogue copy` copies it, in either direction."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import psycopg

from appliance.catalogue.change_log import ChangeLog
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sql.catalogue import SqlCatalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.tables import catalogue_tables
from appliance.cli import main
from appliance.config.model import Config
from appliance.server.control import Commands, listening
from appliance.server.data_dir_lock import owned_data_dir
from tests.support.full_catalogue import all_rows, asked, changed

Rows = dict[str, list[tuple[Any, ...]]]


class Source(Protocol):
    """What is copied, and where to."""

    def served(self) -> AbstractAsyncContextManager[SqlCatalogue]:
        """Servers that use it; the first of them is yielded."""

    def change(self, statement: str) -> None:
        """Change rows without a server of ours."""

    def copy(self) -> int:
        """Run the command; its exit status."""

    def abandon(self) -> int:
        """Run the command that ends the log."""

    def rows(self) -> Rows:
        """All that is to be copied."""

    def copied_rows(self) -> Rows:
        """All that was copied."""

    def log(self) -> list[str]:
        """The names of what the log has made in the source."""


@dataclass(frozen=True, slots=True)
class FileToDatabase:
    """A `Source`: the file of a host, with one server."""

    config: Config
    file: Path
    url: str

    @asynccontextmanager
    async def served(self) -> AsyncIterator[SqlCatalogue]:
        with owned_data_dir(self.config):
            async with SqliteCatalogue(self.file) as catalogue, listening(self.config, _commands(catalogue.change_log)):
                yield catalogue

    def change(self, statement: str) -> None:
        changed(self.file, statement)

    def copy(self) -> int:
        return main(["catalogue", "copy", "--to", self.url])

    def abandon(self) -> int:
        return main(["catalogue", "copy", "--abandon"])

    def rows(self) -> Rows:
        return all_rows(self.file)

    def copied_rows(self) -> Rows:
        return database_rows(self.url)

    def log(self) -> list[str]:
        return log_of_file(self.file)


@dataclass(frozen=True, slots=True)
class DatabaseToFile:
    """A `Source`: the database of a host, with two servers. The environment names its URL."""

    url: str
    file: Path

    @asynccontextmanager
    async def served(self) -> AsyncIterator[SqlCatalogue]:
        async with AsyncExitStack() as until_done:
            nodes = [PostgresCatalogue(self.url, node=name) for name in ("one", "two")]
            for node in nodes:
                await until_done.enter_async_context(node)
            yield nodes[0]

    def change(self, statement: str) -> None:
        asked(self.url, statement)

    def copy(self) -> int:
        return main(["catalogue", "copy", "--to", f"sqlite:{self.file}"])

    def abandon(self) -> int:
        return main(["catalogue", "copy", "--abandon"])

    def rows(self) -> Rows:
        return database_rows(self.url)

    def copied_rows(self) -> Rows:
        return all_rows(self.file)

    def log(self) -> list[str]:
        return log_of_database(self.url)


def database_rows(url: str) -> Rows:
    """Every row of every table, by the table's name, in the order of the keys."""
    with psycopg.connect(url) as connection:
        return {
            table.name: connection.execute(
                f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}".encode()
            ).fetchall()
            for table in catalogue_tables()
        }


def log_of_file(file: Path) -> list[str]:
    """The names of the triggers, and of the tables that no migration makes."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' OR name LIKE 'changed_%' OR name LIKE 'copy_%'"
        )
        return [name for (name,) in found]


def log_of_database(url: str) -> list[str]:
    """The names of the triggers' functions, and of the tables and sequences that no migration makes."""
    found = asked(
        url,
        "SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace UNION ALL "
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND (relname LIKE 'changed_%' OR relname LIKE 'copy_%')",
    )
    return [name for (name,) in found]


def compared(output: str) -> list[int]:
    """How many rows each pass has compared, of what the command has printed."""
    lines = [line.replace(",", "").split() for line in output.splitlines()]
    return [int(words[1]) for words in lines if words[:1] == ["Compared"]]


def _commands(log: ChangeLog | None) -> Commands:
    """Those of a server that only logs changes."""
    assert log is not None

    async def unasked(*_: object) -> None:
        raise AssertionError

    commands: dict[str, Any] = {field.name: unasked for field in fields(Commands)}
    return Commands(**commands | {"log_changes": log.begin_turn, "end_change_log": log.end})


async def copy(source: Source) -> int:
    """Run the command while servers run."""
    return await asyncio.to_thread(source.copy)
