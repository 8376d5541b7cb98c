"""The two kinds of catalogue that a host may have, for tests of what happens when one is lost."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.full_catalogue import asked, changed
from tests.support.postgres import new_schema
from tests.support.server_process import ServerProcess
from tests.support.servers import Server

URL = "APPLIANCE_CATALOGUE_URL"


@dataclass(frozen=True)
class CatalogueKind:
    """A file, or a database of this server."""

    postgres: Server | None

    def settings(self) -> Mapping[str, str]:
        """The environment of a host that has a new one."""
        return {URL: new_schema(self.postgres)} if self.postgres else {}

    def lose(self, served: ServerProcess) -> None:
        """Have a host that is stopped without rows, as after the loss of a disk."""
        served.environment |= self.settings()
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.unlink()

    def change(self, served: ServerProcess, statement: str) -> None:
        """Change the rows of a host that is stopped."""
        if self.postgres:
            asked(served.environment[URL], statement)
        else:
            changed(served.data_dir / "catalogue.sqlite", statement)
