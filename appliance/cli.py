"""The command line: commands, their arguments, and how errors and exit statuses look.

Exit status 0 is success, 1 a failure with a line on standard error, 2 an invalid command line.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from appliance import __version__
from appliance.access.ban_orders import BanVerb
from appliance.access.orders import Verb
from appliance.commands import (
    backup,
    ban,
    capacity,
    catalogue,
    catalogue_copy,
    drain,
    expiry,
    forget_node,
    key,
    reinspect,
    restore,
    restore_options,
    serve,
    status,
    takedown,
    verify,
)
from appliance.commands.option_values import joined
from appliance.config.load import load
from appliance.config.model import Config
from appliance.config.show import as_toml
from appliance.doctor.checkup import examine
from appliance.doctor.findings import Level
from appliance.domain.errors import ApplianceError, ConfigError
from appliance.observability.logs import start_logging

Command = Callable[[argparse.Namespace], int]
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Raises SystemExit(2) for an invalid command line."""
    chosen = _parser().parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    os.umask(0o077)  # files belong to this host's user alone, whatever the folder was before
    command: Command = chosen.command
    try:
        return command(chosen)
    except ConfigError as error:
        lines = "".join(f"\n  {line}" for line in error.detail.splitlines())
        print(f"appliance: {error.title}:{lines}", file=sys.stderr)
    except ApplianceError as error:
        print(f"appliance: {error.detail}", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("appliance: interrupted", file=sys.stderr)
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="appliance", description="An image host for one server.")
    parser.add_argument("--version", action="version", version=f"appliance {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve.add_arguments(_add(commands, "serve", serve.serve, "serve images until SIGTERM or Ctrl-C"))
    _add(commands, "config", _config, "print the effective configuration and where each value comes from")
    _add(commands, "doctor", _doctor, "check every part, one line each; exit with status 1 on a fault")
    _add(commands, "status", _status, "show the status of the running server; exit with status 1 unless it is ready")
    expire = _add(commands, "expire", _expire, "expire what is due now")
    expire.add_argument(
        "--clock-is-right",
        action="store_true",
        help="expire even though the clock seems to have jumped; check it first",
    )
    about = "stop accepting uploads and wait until everything is in the store"
    drain.add_arguments(_add(commands, "drain", _drain, about))
    _add(commands, "undrain", _on_config(drain.undrain), "accept uploads again")
    forgetting = _add(commands, "forget-node", _forget_node, "forget a node that is gone for good")
    forget_node.add_arguments(forgetting)
    taking = _add(commands, "takedown", _takedown, "delete images and albums for good, without their delete tokens")
    taking.add_argument("wanted", nargs="+", metavar="SLUG", help="a slug, or any link to an image or an album")
    about = "bring stored images up to the rules of this release; a run that was interrupted continues"
    reinspect.add_arguments(_add(commands, "reinspect", _reinspect, about))
    capacity.add_arguments(
        _add(commands, "capacity", _capacity, "estimate the machine that a load needs, and its cost")
    )
    _add_keys(commands)
    _add_bans(commands)
    _add_backups(commands)
    _add_catalogue(commands)
    return parser


def _add_keys(commands: Subparsers) -> None:
    inner = _add_group(commands, "key", "manage access keys, with which people and programs upload")
    abouts = {
        Verb.ADD: "make a key; it is printed once",
        Verb.LIST: "list every key, and what was uploaded with it",
        Verb.REVOKE: "end a key at once and for good; what was uploaded with it stays",
        Verb.ROTATE: "replace the secret of a key; the old one ends at once",
    }
    for verb, what in abouts.items():
        key.add_arguments(_add(inner, verb, _key(verb), what), verb)


def _add_bans(commands: Subparsers) -> None:
    inner = _add_group(commands, "ban", "keep networks and access keys out, for a time or for good")
    abouts = {
        BanVerb.ADD: "refuse uploads and changes of a network or key, in place of an earlier ban of the same",
        BanVerb.LIST: "list the bans that are in force",
        BanVerb.REMOVE: "end a ban",
    }
    for verb, what in abouts.items():
        ban.add_arguments(_add(inner, verb, _ban(verb), what), verb)


def _add_backups(commands: Subparsers) -> None:
    _add(commands, "backup", _on_config(backup.backup), "back up the catalogue and spool to every configured place")
    restoring = _add(commands, "restore", _restore, "restore the data directory from a backup and the store")
    restore_options.add_arguments(restoring)
    verifying = _add(commands, "verify", _verify, "open the newest backups and compare them with the live data")
    for parser in (restoring, verifying):
        parser.add_argument("--identity", metavar="FILE", type=Path, help="the secret age key that opens the backup")


def _add_catalogue(commands: Subparsers) -> None:
    inner = _add_group(commands, "catalogue", "maintain the catalogue of images")
    _add(inner, "rebuild", _on_config(catalogue.rebuild), "rebuild the catalogue from the store and the spool")
    _add(inner, "check", _on_config(catalogue.check), "check the catalogue and report damage")
    backup = _add(inner, "backup", _backup, "write a copy of the catalogue; the server may be running")
    backup.add_argument("destination", metavar="DEST", type=Path, help="the file to write; it must not exist")
    copying = _add(inner, "copy", _copy, "move the catalogue into another kind of database; the server may be running")
    catalogue_copy.add_arguments(copying)


def _add_group(commands: Subparsers, name: str, about: str) -> Subparsers:
    parser = commands.add_parser(name, help=about, description=_sentence(about))
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _add(commands: Subparsers, name: str, command: Command, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=_sentence(about))
    parser.add_argument("--config", metavar="FILE", type=Path, help="the TOML configuration file")
    parser.set_defaults(command=command)
    return parser


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."


def _on_config(run: Callable[[Config], int]) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        config = load(arguments.config).config
        start_logging("warning")
        return run(config)

    return command


def _config(arguments: argparse.Namespace) -> int:
    loaded = load(arguments.config)
    print(as_toml(loaded.config, loaded.origins), end="")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    return asyncio.run(_examine(load(arguments.config).config))


async def _examine(config: Config) -> int:
    has_fault = False
    async for finding in examine(config):
        print(finding, flush=True)
        has_fault |= finding.level is Level.FAULT
    return int(has_fault)


def _status(arguments: argparse.Namespace) -> int:
    return status.status(load(arguments.config).config)


def _drain(arguments: argparse.Namespace) -> int:
    return drain.drain(load(arguments.config).config, wait=not arguments.no_wait, announce_s=arguments.announce)


def _forget_node(arguments: argparse.Namespace) -> int:
    return forget_node.forget_node(load(arguments.config).config, arguments.name, are_lost=arguments.originals_are_lost)


def _takedown(arguments: argparse.Namespace) -> int:
    return takedown.takedown(load(arguments.config).config, arguments.wanted)


def _reinspect(arguments: argparse.Namespace) -> int:
    config = load(arguments.config).config
    start_logging("warning")
    return reinspect.reinspect(config, reinspect.options_of(arguments))


def _key(verb: Verb) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        return key.key(load(arguments.config).config, verb, arguments)

    return command


def _ban(verb: BanVerb) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        return ban.ban(load(arguments.config).config, verb, arguments)

    return command


def _expire(arguments: argparse.Namespace) -> int:
    return expiry.expire(load(arguments.config).config, clock_confirmed=arguments.clock_is_right)


def _capacity(arguments: argparse.Namespace) -> int:
    config = load(arguments.config).config
    start_logging("warning")
    return capacity.capacity(config, arguments)


def _restore(arguments: argparse.Namespace) -> int:
    config = load(arguments.config).config
    start_logging("warning")
    return restore.restore(config, restore_options.options_of(arguments))


def _verify(arguments: argparse.Namespace) -> int:
    config = load(arguments.config).config
    start_logging("warning")
    return verify.verify(config, identity=arguments.identity)


def _copy(arguments: argparse.Namespace) -> int:
    config = load(arguments.config).config
    start_logging("warning")
    if arguments.abandon:
        return catalogue_copy.abandon(config)
    return catalogue_copy.copy(config, arguments.destination)


def _backup(arguments: argparse.Namespace) -> int:
    return catalogue.backup(load(arguments.config).config, arguments.destination)


if __name__ == "__main__":
    sys.exit(main())
