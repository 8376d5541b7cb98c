"""Opens the catalogue that the configuration names: for a server, or as a file for a command without one."""

from appliance.catalogue.ports import Catalogue
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.config.model import Config
from appliance.domain.clock import Clock, system_clock

__all__ = ["FILE_NAME", "CatalogueFile", "catalogue_file", "open_catalogue"]

FILE_NAME = "catalogue.sqlite"
"""The name of the file in the data directory, and of its copy in a backup."""


def open_catalogue(config: Config, clock: Clock = system_clock) -> Catalogue:
    """The catalogue, still to be started. The caller owns the data directory."""
    return SqliteCatalogue(config.data_dir / FILE_NAME, purging=config.cdn.is_purged, clock=clock)


def catalogue_file(config: Config) -> CatalogueFile:
    """The file of this host's catalogue, which need not be there."""
    return CatalogueFile(config.data_dir / FILE_NAME)
