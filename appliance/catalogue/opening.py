"""Opens the catalogue that the configuration names: for a server, or for a command without one."""

from appliance.catalogue.ports import Catalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.catalogue.stored import StoredCatalogue
from appliance.config.model import Config
from appliance.config.node_name import node_name
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import CommandFailed, UnfitInstallation

__all__ = [
    "FILE_NAME",
    "CatalogueFile",
    "catalogue_file",
    "catalogue_left_behind",
    "database_fault",
    "open_catalogue",
    "stored_catalogue",
]

FILE_NAME = "catalogue.sqlite"
"""The name of the file in the data directory, and of its copy in a backup."""


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


def database_fault(config: Config) -> str | None:
    """Why the database of this host's catalogue can't be reached, as it says. None where it can, or there is none."""
    if config.catalogue.url is None:
        return None
    _require_driver()
    from appliance.catalogue.postgres.database import CatalogueDatabase  # noqa: PLC0415 - its driver is an extra

    return CatalogueDatabase(config.catalogue.url).fault


def catalogue_file(config: Config) -> CatalogueFile:
    """The file of this host's catalogue, which need not be there. Raises CommandFailed where it is in a database."""
    if config.catalogue.url is not None:
        raise CommandFailed(
            "This works on a catalogue in a file, but catalogue.url names a database. Save and restore that with "
            "PostgreSQL's own tools, such as pg_dump and pg_restore. See “The catalogue in PostgreSQL” in "
            "docs/operations.md."
        )
    return CatalogueFile(config.data_dir / FILE_NAME)


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
