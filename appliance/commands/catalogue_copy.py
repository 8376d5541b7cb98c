"""`appliance catalogue copy`: moves the catalogue from its file to a database server, or back."""

import argparse
import asyncio
import sys
import time
from contextlib import ExitStack

from appliance.catalogue.change_log import ServerLog, Turn
from appliance.catalogue.moving import CatalogueMove, Copied
from appliance.catalogue.opening import DESTINATIONS, end_change_log, is_database, opened_move
from appliance.commands.watched_copy import run_watched, tell
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed, DataDirectoryLocked, ServerNotRunning
from appliance.server.control import ask_end_change_log, ask_log_changes
from appliance.server.data_dir_lock import owned_data_dir

FROM_INPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `appliance catalogue copy`."""
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--to",
        dest="destination",
        metavar="CATALOGUE",
        help=f"{DESTINATIONS}, or `{FROM_INPUT}` to read that from standard input, which hides a password. Every row "
        "is compared; a copy that was interrupted continues",
    )
    wanted.add_argument(
        "--abandon",
        action="store_true",
        help="end a copy that won't be finished: what changes is logged no more. The copy itself is left as it is",
    )


def copy(config: Config, destination: str) -> int:
    """Copies every row to `destination` (`-` reads it from standard input), compares them, and says what to do next.

    While a server runs, what it changes meanwhile is left to a last pass. Raises CommandFailed, CatalogueUnavailable,
    CatalogueDamaged, CatalogueNotInUse, CatalogueTooNew, DiskFull, UnfitInstallation.
    """
    wanted = sys.stdin.readline().strip() if destination == FROM_INPUT else destination
    began = time.monotonic()
    with ExitStack() as until_done:
        move = until_done.enter_context(opened_move(config, wanted, _log_of_server(config, until_done), tell))
        copied = run_watched(move)
        if move.is_final:
            move.finish()
    print(_result(copied, move, time.monotonic() - began))
    print(_next_step(move, to_database=is_database(wanted)))
    return 0


def abandon(config: Config) -> int:
    """Ends the log of changes that a copy has begun. Raises CommandFailed, CatalogueUnavailable, CatalogueDamaged,
    UnfitInstallation.
    """
    with ExitStack() as until_done:
        end_change_log(config, _log_of_server(config, until_done), tell)
    print("What changes in the catalogue is logged no more. Remove the copy, or continue it later from its first row.")
    return 0


class _LogOfServer(ServerLog):
    """The log of the server that owns the data directory."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def begin_turn(self) -> Turn | None:
        try:
            return asyncio.run(ask_log_changes(self._config))
        except (CommandFailed, ServerNotRunning) as fault:
            print(f"No changes are logged, so the last pass compares all rows: {fault.detail}", file=sys.stderr)
            return None

    def end(self) -> None:
        try:
            asyncio.run(ask_end_change_log(self._config))
        except ServerNotRunning as fault:
            raise CommandFailed("Another command uses the catalogue. Try again when it is done.") from fault


def _log_of_server(config: Config, until_done: ExitStack) -> ServerLog | None:
    """That of the server that uses the data directory; None if none does, and from then on none can."""
    try:
        until_done.enter_context(owned_data_dir(config))
    except DataDirectoryLocked:
        return _LogOfServer(config)
    return None


def _result(copied: Copied, move: CatalogueMove, took_s: float) -> str:
    which = " that changed since the last pass" if move.is_of_changes else ""
    return (
        f"Compared {copied.compared:,} rows{which} with {move.target} in {took_s:.0f} s. "
        f"{copied.changed:,} of them were missing or different, and are the same now."
    )


def _next_step(move: CatalogueMove, *, to_database: bool) -> str:
    if not move.is_final:
        what = "compares only the rows that changed" if move.is_logged else "compares all rows again"
        return (
            "A server uses the catalogue, so rows may have changed since. Stop it, and run this command again: that "
            f"{what}, and tells you how to start with the new catalogue."
        )
    change = "Set catalogue.url to that database" if to_database else "Unset catalogue.url"
    return (
        f"The copy is complete. {change}, then start the server. {move.source} is kept, and no server starts with it. "
        "Remove it once you have a backup of the new one."
    )
