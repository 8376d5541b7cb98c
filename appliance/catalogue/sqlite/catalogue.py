"""The catalogue in one SQLite file."""

from pathlib import Path

from appliance.catalogue.change_log import ChangeLog
from appliance.catalogue.sql.catalogue import SqlCatalogue
from appliance.catalogue.sql.change_log import ChangeLogRows
from appliance.catalogue.sqlite.change_log import file_log
from appliance.catalogue.sqlite.readers import SqliteReaders
from appliance.catalogue.sqlite.row_cache import RowCache
from appliance.catalogue.sqlite.writing import SqliteSession
from appliance.domain.clock import Clock, system_clock


class SqliteCatalogue(SqlCatalogue):
    """A `Catalogue`. One thread writes; `readers` threads read; up to `cached_rows` rows stay in memory."""

    def __init__(
        self,
        path: Path,
        *,
        readers: int = 3,
        cached_rows: int = 20_000,
        purging: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(
            SqliteSession(path), SqliteReaders(path, readers), RowCache(cached_rows), purging=purging, clock=clock
        )
        self._change_log = ChangeLogRows(self.writer, file_log, clock)

    @property
    def change_log(self) -> ChangeLog:
        return self._change_log
