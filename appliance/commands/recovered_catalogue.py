"""What `restore` and `catalogue rebuild` have alike: where a catalogue is recovered, and how it becomes this host's."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.catalogue.opening import CatalogueFile, catalogue_file, kept_empty, opened_recovery, stored_catalogue
from appliance.commands.watched_copy import run_watched, tell
from appliance.config.model import Config


@dataclass(frozen=True, slots=True)
class RecoveryPlace:
    """A folder to recover a catalogue in, while this host's own stays empty."""

    folder: Path
    _config: Config
    _keeping: ExitStack

    def put_in_place(self, recovered: CatalogueFile, before_use: Callable[[], None] = lambda: None) -> None:
        """Make the recovered catalogue this host's, durably. Killed before, no server starts, and it can run again.

        `before_use` is called when all rows are there, before a server can use them. Raises what the copy raises.
        """
        self._keeping.close()
        url = self._config.catalogue.url
        if url is None:
            before_use()
            asyncio.run(recovered.move_to(catalogue_file(self._config)))
            return
        began = time.monotonic()
        with opened_recovery(url, recovered, tell) as move:
            copied = run_watched(move)
            before_use()
            move.target.release()
        took_s = time.monotonic() - began
        print(f"Copied to {stored_catalogue(self._config)}: {copied.compared:,} rows ({took_s:.1f} s).", flush=True)


@contextmanager
def recovering(config: Config) -> Iterator[RecoveryPlace]:
    """A place for a recovery. While its folder exists, even after a crash, no server starts on this data directory.

    What waits in the spools of processes is in the data directory's own. The caller owns the data directory. Raises
    CommandFailed if there is a catalogue with rows already, or a server uses it; DataDirectoryLocked,
    CatalogueUnavailable, UnfitInstallation.
    """
    from appliance.processes.leftovers import gather_spools  # noqa: PLC0415 - other commands need not wait for it

    with ExitStack() as keeping:
        keeping.enter_context(kept_empty(config, tell))
        shutil.rmtree(config.restore_dir, ignore_errors=True)
        config.restore_dir.mkdir(mode=0o700)
        try:
            gather_spools(config)
            yield RecoveryPlace(config.restore_dir, config, keeping)
        finally:
            shutil.rmtree(config.restore_dir, ignore_errors=True)
