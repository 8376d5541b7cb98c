"""`appliance catalogue copy`: moves the catalogue from its file to a database server, or back."""

import argparse
import sys
import time
from contextlib import ExitStack

from appliance.catalogue.moving import CatalogueMove, Copied
from appliance.catalogue.opening import DESTINATIONS, is_database, opened_move
from appliance.commands.watched_copy import run_watched
from appliance.config.model import Config
from appliance.domain.errors import DataDirectoryLocked
from appliance.server.data_dir_lock import owned_data_dir

FROM_INPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `appliance catalogue copy`."""
    parser.add_argument(
        "--to",
        dest="destination",
        metavar="CATALOGUE",
        required=True,
        help=f"{DESTINATIONS}, or `{FROM_INPUT}` to read that from standard input, which hides a password. Every row "
        "is compared; a copy that was interrupted continues",
    )


def copy(config: Config, destination: str) -> int:
    """Copies every row to `destination` (`-` reads it from standard input), compares them, and says what to do next.

    While a server runs, what it changes meanwhile is left to a last pass. Raises CommandFailed, CatalogueUnavailable,
    CatalogueDamaged, CatalogueNotInUse, CatalogueTooNew, DiskFull, UnfitInstallation.
    """
    wanted = sys.stdin.readline().strip() if destination == FROM_INPUT else destination
    began = time.monotonic()
    with ExitStack() as until_done:
        move = until_done.enter_context(opened_move(config, wanted, is_stopped=_is_stopped(config, until_done)))
        copied = run_watched(move)
        if move.is_final:
            move.finish()
    print(_result(copied, move, time.monotonic() - began))
    print(_next_step(move, to_database=is_database(wanted)))
    return 0


def _is_stopped(config: Config, until_done: ExitStack) -> bool:
    """Whether no server uses the data directory. From then on none can."""
    try:
        until_done.enter_context(owned_data_dir(config))
    except DataDirectoryLocked:
        return False
    return True


def _result(copied: Copied, move: CatalogueMove, took_s: float) -> str:
    return (
        f"Compared {copied.compared:,} rows with {move.target} in {took_s:.0f} s. "
        f"{copied.changed:,} of them were missing or different, and are the same now."
    )


def _next_step(move: CatalogueMove, *, to_database: bool) -> str:
    if not move.is_final:
        return (
            "A server uses the catalogue, so rows may have changed since. Stop it, and run this command again: that "
            "writes only what changed, and tells you how to start with the new catalogue."
        )
    change = "Set catalogue.url to that database" if to_database else "Unset catalogue.url"
    return (
        f"The copy is complete. {change}, then start the server. {move.source} is kept, and no server starts with it. "
        "Remove it once you have a backup of the new one."
    )
