"""Opens the catalogue that the configuration names: for a server, or for a command without one."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.catalogue.change_log import ServerLog
from appliance.catalogue.moving import CatalogueMove, Tell
from appliance.catalogue.ports import Catalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.catalogue.sqlite.moving import FileSource, FileTarget, end_file_log, fresh_file, recovered_file
from appliance.catalogue.sqlite.tables import catalogue_tables
from appliance.catalogue.stored import StoredCatalogue
from appliance.config import database_url
from appliance.config.database_url import DATABASE_SCHEMES
from appliance.config.model import Config
from appliance.config.node_name import node_name
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CommandFailed, Stopping, UnfitInstallation

__all__ = [
    "DESTINATIONS",
    "FILE_NAME",
    "CatalogueFile",
    "catalogue_file",
    "catalogue_left_behind",
    "copy_to_file",
    "database_addresses",
    "database_fault",
    "end_change_log",
    "is_database",
    "kept_empty",
    "open_catalogue",
    "opened_move",
    "opened_recovery",
    "stored_catalogue",
]

FILE_NAME = "catalogue.sqlite"
"""The name of the file in the data directory, and of its copy in a backup."""
FILE_SCHEME = "sqlite:"
DESTINATIONS = f"`{DATABASE_SCHEMES[0]}://USER@HOST/NAME` or `{FILE_SCHEME}PATH`"
"""What a catalogue can be copied to, for people."""
MAX_BACKUP_WAIT_S = 60.0
"""How long a backup waits for a lock of another session. The next one comes soon."""
_DATABASES = tuple(f"{scheme}://" for scheme in DATABASE_SCHEMES)


def open_catalogue(config: Config, clock: Clock = system_clock) -> Catalogue:
    """The catalogue, still to be started. The caller owns the data directory. Raises UnfitInstallation."""
    url, purging = config.catalogue.url, config.cdn.is_purged
    if url is None:
        return SqliteCatalogue(config.data_dir / FILE_NAME, purging=purging, clock=clock)
    _require_driver()
    from appliance.catalogue.postgres.catalogue import PostgresCatalogue  # noqa: PLC0415 - its driver is an extra

    node = node_name(config.node) if config.is_node else None
    return PostgresCatalogue(url, node=node, stale_s=config.catalogue.stale_s, purging=purging, clock=clock)


def stored_catalogue(config: Config) -> StoredCatalogue:
    """This host's catalogue, which need not be there. Raises UnfitInstallation."""
    url = config.catalogue.url
    if url is None:
        return catalogue_file(config)
    _require_driver()
    from appliance.catalogue.postgres.database import CatalogueDatabase  # noqa: PLC0415 - its driver is an extra

    return CatalogueDatabase(url)


def database_addresses(config: Config) -> list[tuple[str, int]]:
    """Host and port of each server that may have the database; none for a file. Raises UnfitInstallation."""
    if config.catalogue.url is None:
        return []
    _require_driver()
    from appliance.catalogue.postgres.database import addresses_of  # noqa: PLC0415 - its driver is an extra

    return addresses_of(config.catalogue.url)


def database_fault(config: Config) -> str | None:
    """Why the database of this host's catalogue can't be reached, as it says. None where it can, or there is none."""
    if config.catalogue.url is None:
        return None
    _require_driver()
    from appliance.catalogue.postgres.database import CatalogueDatabase  # noqa: PLC0415 - its driver is an extra

    return CatalogueDatabase(config.catalogue.url).fault


def catalogue_file(config: Config) -> CatalogueFile:
    """The file of this host's catalogue, if that is in one. It need not be there."""
    return CatalogueFile(config.data_dir / FILE_NAME)


async def copy_to_file(config: Config, path: Path) -> CatalogueFile:
    """Write a checked copy of this host's catalogue, which appears whole or not at all; a server may use it meanwhile.

    An older file at `path` is replaced. Raises CatalogueUnavailable, CatalogueDamaged, DiskFull; of a database also
    CatalogueNotInUse, UnfitInstallation, and CommandFailed if its schema is of another release.
    """
    if config.catalogue.url is None:
        return await catalogue_file(config).copy_to(path)
    _require_driver()
    is_cancelled = threading.Event()
    try:
        await asyncio.to_thread(_copy_database, config.catalogue.url, path, is_cancelled)
    except asyncio.CancelledError:
        is_cancelled.set()
        raise
    return CatalogueFile(path)


def _copy_database(url: str, path: Path, is_cancelled: threading.Event) -> None:
    from appliance.catalogue.postgres.lock_waits import LockWaits  # noqa: PLC0415 - its driver is an extra
    from appliance.catalogue.postgres.moving import DatabaseSource  # noqa: PLC0415 - its driver is an extra

    def go_on(_rows: int) -> None:
        if is_cancelled.is_set():
            raise Stopping

    tables = catalogue_tables()
    waits = LockWaits(url, lambda _sentence: None, MAX_BACKUP_WAIT_S)
    source = DatabaseSource(url, str(path), tables, waits, owning=False)
    with source, fresh_file(path, str(source), tables) as target:
        CatalogueMove.begin_unlogged(source, target, tables).run(go_on)


@contextmanager
def kept_empty(config: Config, tell: Tell) -> Iterator[None]:
    """While the block lasts, this host's catalogue, which has no rows, stays as it is: no server starts with it.

    What an interrupted recovery left in a database counts as nothing. `tell` is called with who makes this wait. Raises
    CommandFailed if it has rows or a server uses it, CatalogueUnavailable, UnfitInstallation. The caller owns the data
    directory.
    """
    if config.catalogue.url is None:
        catalogue_file(config).require_absent()
        yield
        return
    _require_driver()
    from appliance.catalogue.postgres.lock_waits import LockWaits  # noqa: PLC0415 - its driver is an extra
    from appliance.catalogue.postgres.recovery import EmptyDatabase  # noqa: PLC0415 - its driver is an extra

    url = config.catalogue.url
    with EmptyDatabase(url, catalogue_tables(), LockWaits(url, tell)):
        yield


@contextmanager
def opened_recovery(url: str, recovered: CatalogueFile, tell: Tell) -> Iterator[CatalogueMove]:
    """A copy of a recovered catalogue into the empty database at `url`. No server starts with that before its end.

    `tell` is called with who makes this wait. Raises CommandFailed, CatalogueNotInUse, CatalogueTooNew,
    CatalogueUnavailable, CatalogueDamaged, DiskFull.
    """
    _require_driver()
    from appliance.catalogue.postgres.lock_waits import LockWaits  # noqa: PLC0415 - its driver is an extra
    from appliance.catalogue.postgres.recovery import RecoveredDatabase  # noqa: PLC0415 - its driver is an extra

    tables = catalogue_tables()
    database = RecoveredDatabase(url, tables, LockWaits(url, tell))
    with recovered_file(recovered.path, str(database)) as file, database:
        yield CatalogueMove.begin_unlogged(file, database, tables)


@contextmanager
def opened_move(config: Config, destination: str, server_log: ServerLog | None, tell: Tell) -> Iterator[CatalogueMove]:
    """A copy of this host's catalogue to `destination`: the URL of a database, or `sqlite:` and the path of a file.

    `server_log` is the log of the server of this data directory; None says that none runs while this is open. `tell`
    is called with who makes this wait. Raises CommandFailed where both are of one kind, and whatever the two ends
    raise.
    """
    url, tables = config.catalogue.url, catalogue_tables()
    if is_database(destination) == (url is not None) or not destination.startswith((*_DATABASES, FILE_SCHEME)):
        raise CommandFailed(
            f"A catalogue is copied from a file to a database or back: `--to` is {DESTINATIONS}. This host's is in a "
            f"{'database' if url else 'file'} now."
        )
    if is_database(destination) and not database_url.is_database_url(destination):
        raise CommandFailed(f"The address of the database can't be read. Expected {database_url.EXPECTED}.")
    _require_driver()
    from appliance.catalogue.postgres.lock_waits import LockWaits  # noqa: PLC0415 - its driver is an extra
    from appliance.catalogue.postgres.moving import DatabaseSource, DatabaseTarget  # noqa: PLC0415 - an extra's driver

    if url is None:
        path = config.data_dir / FILE_NAME
        database = DatabaseTarget(destination, str(path), tables, LockWaits(destination, tell))
        with FileSource(path, str(database), server_log=server_log) as file, database:
            yield CatalogueMove.begin(file, database, tables)
    else:
        path = Path(destination.removeprefix(FILE_SCHEME)).absolute()
        source = DatabaseSource(url, str(path), tables, LockWaits(url, tell), owning=server_log is None)
        with source, FileTarget(path, str(source), tables) as target:
            yield CatalogueMove.begin(source, target, tables)


def end_change_log(config: Config, server_log: ServerLog | None, tell: Tell) -> None:
    """End the log of changes that a copy of this host's catalogue has begun, if there is one.

    `server_log` is that of the server of this data directory; None says that none runs meanwhile. `tell` is called
    with who makes this wait. Raises CommandFailed, CatalogueUnavailable, CatalogueDamaged, UnfitInstallation.
    """
    url = config.catalogue.url
    if url is None:
        file = catalogue_file(config)
        file.require_present()
        end_file_log(config.data_dir / FILE_NAME, server_log)
        return
    _require_driver()
    from appliance.catalogue.postgres.lock_waits import LockWaits  # noqa: PLC0415 - its driver is an extra
    from appliance.catalogue.postgres.moving import end_database_log  # noqa: PLC0415 - its driver is an extra

    end_database_log(url, catalogue_tables(), LockWaits(url, tell))


def is_database(destination: str) -> bool:
    """Whether it is the URL of a database."""
    return destination.startswith(_DATABASES)


def catalogue_left_behind(config: Config) -> CatalogueFile | None:
    """The file that has this host's catalogue although the configuration names a database; None otherwise."""
    file = CatalogueFile(config.data_dir / FILE_NAME)
    return file if config.catalogue.url is not None and file.exists else None


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415
    except ImportError as error:
        raise UnfitInstallation(
            f"The driver of PostgreSQL is missing ({error}). Install the extra `postgres`: "
            "`pip install 'appliance[postgres]'`; or unset catalogue.url."
        ) from error
