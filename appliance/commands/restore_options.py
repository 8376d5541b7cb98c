"""The options of `appliance restore`."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What to restore.

    `source` None is the place that has the newest backup. `merging` adds what the store has learned since the backup;
    with `whole_store` it looks at every original, not only at those that may be newer. `unprotected` accepts a backup
    that is not signed or encrypted as the settings require.
    """

    source: str | None = None
    backup: str | None = None
    identity: Path | None = None
    merging: bool = True
    whole_store: bool = False
    unprotected: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="PLACE",
        help="`store`, `second`, a folder of backups, the folder of one backup, or a copy of a catalogue; default: the "
        "place with the newest backup",
    )
    parser.add_argument(
        "--backup", metavar="NAME", help="the backup to restore, such as 20260131T031700Z; default: the newest"
    )
    looking = parser.add_mutually_exclusive_group()
    looking.add_argument(
        "--backup-alone", action="store_true", help="ignore what the store has received since the backup"
    )
    looking.add_argument(
        "--whole-store", action="store_true", help="look for originals of any age in the store, not only newer ones"
    )
    parser.add_argument(
        "--unprotected",
        action="store_true",
        help="accept a backup that is not encrypted or signed as configured. Use it only for one you made, named by "
        "--backup or by its path",
    )


def options_of(arguments: argparse.Namespace) -> RestoreOptions:
    return RestoreOptions(
        arguments.source,
        arguments.backup,
        arguments.identity,
        merging=not arguments.backup_alone,
        whole_store=arguments.whole_store,
        unprotected=arguments.unprotected,
    )
