"""`appliance key`: access keys are added, listed, revoked and replaced, by the running server or, without one, here."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from appliance.access.keys import AccessKeys
from appliance.access.orders import KeyOrder, Verb, carry_out
from appliance.catalogue.opening import open_catalogue
from appliance.commands.store_notice import warn_unless_in_store
from appliance.config.model import Config
from appliance.config.values import InvalidValue, parse_size
from appliance.domain.access_keys import Scope
from appliance.domain.byte_sizes import format_size
from appliance.domain.clock import system_clock
from appliance.domain.errors import InvalidExpiry, ServerNotRunning
from appliance.domain.upload_options import parse_duration
from appliance.server.control import ask_key
from appliance.server.data_dir_lock import owned_data_dir
from appliance.server.startup_checks import refuse_lost_catalogue

_COLUMNS = ("NAME", "ID", "STATE", "EXPIRES", "IMAGES", "SIZE", "TODAY", "SCOPES")


def add_arguments(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """The arguments of one of the commands."""
    if verb is Verb.LIST:
        parser.add_argument("--json", action="store_true", help="print everything that is known, as JSON")
        return
    about = "the name of the key" if verb is Verb.ADD else "the name of the key, or its id"
    parser.add_argument("name", metavar="NAME", help=about)
    if verb is not Verb.ADD:
        return
    parser.add_argument(
        "--scope",
        dest="scopes",
        action="append",
        choices=[scope.value for scope in Scope],
        help="upload: upload images; manage: change and delete what was uploaded with the key; operate: read "
        "the status of the host. Repeat it for several; default: upload and manage",
    )
    parser.add_argument("--expires", metavar="TIME", type=_duration, help="how long the key is valid, such as 90d")
    for name, kind, metavar, limit in _LIMITS:
        option = f"--{name.removesuffix('_s').replace('_', '-')}"
        parser.add_argument(option, dest=name, type=kind, metavar=metavar, help=limit)


def key(config: Config, verb: Verb, arguments: argparse.Namespace) -> int:
    """Prints a new key on standard output, once, and what happened on standard error.

    Raises InvalidField, Conflict, UnknownKey, CommandFailed, DataDirectoryLocked, UnfitInstallation.
    """
    order = _order(verb, arguments)
    try:
        answer = asyncio.run(ask_key(config, order))
    except ServerNotRunning:
        with owned_data_dir(config):
            refuse_lost_catalogue(config)
            answer = asyncio.run(_carry_out_alone(config, order))
    if verb is not Verb.LIST:
        _print_outcome(verb, answer)
    elif arguments.json:
        print(json.dumps(answer["keys"], indent=2, ensure_ascii=False))
    else:
        _print_table(answer["keys"])
    return 0


async def _carry_out_alone(config: Config, order: KeyOrder) -> dict[str, Any]:
    """The next server sends the change to the store."""
    async with open_catalogue(config) as catalogue:
        return await carry_out(AccessKeys(catalogue.keys, clock=system_clock), catalogue.records, order)


def _order(verb: Verb, arguments: argparse.Namespace) -> KeyOrder:
    if verb is Verb.LIST:
        return KeyOrder(verb)
    if verb is not Verb.ADD:
        return KeyOrder(verb, arguments.name)
    scopes = tuple(arguments.scopes or (Scope.UPLOAD.value, Scope.MANAGE.value))
    limits = {name: getattr(arguments, name) for name, *_ in _LIMITS}
    return KeyOrder(verb, arguments.name, scopes, arguments.expires, limits)


def _print_outcome(verb: Verb, answer: Mapping[str, Any]) -> None:
    [known] = answer["keys"]
    if answer["text"] is not None:
        print(answer["text"], flush=True)
    name = f"“{known['name']}”"
    words = {
        Verb.ADD: f"This is the key {name} ({', '.join(known['scopes'])}). It is not shown again.",
        Verb.ROTATE: f"This is the new key {name}. It is not shown again. The old one is no longer valid.",
        Verb.REVOKE: f"The key {name} is no longer valid. What was uploaded with it stays.",
    }
    print(words[verb], file=sys.stderr)
    warn_unless_in_store(answer)


def _print_table(keys: list[Mapping[str, Any]]) -> None:
    rows = [_COLUMNS, *(_row(known) for known in keys)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(known: Mapping[str, Any]) -> tuple[str, ...]:
    used, limits = known["used"], known["limits"]
    return (
        known["name"],
        known["id"],
        _state(known),
        "never" if known["expires_s"] is None else _day(known["expires_s"]),
        _of(used["images"], limits["max_images"], str),
        _of(used["bytes"], limits["max_bytes"], format_size),
        _of(used["day_bytes"], limits["max_bytes_a_day"], format_size),
        " ".join(known["scopes"]),
    )


def _state(known: Mapping[str, Any]) -> str:
    if known["revoked_s"] is not None:
        return "revoked"
    has_expired = known["expires_s"] is not None and known["expires_s"] <= system_clock()
    return "expired" if has_expired else "valid"


def _of(used: int, limit: int | None, text: Callable[[int], str]) -> str:
    return text(used) if limit is None else f"{text(used)} of {text(limit)}"


def _day(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d}"


def _duration(text: str) -> int:
    try:
        seconds = parse_duration(text.removeprefix("-"))
    except InvalidExpiry as fault:
        raise argparse.ArgumentTypeError("expected a number with a unit, such as 12h, 30d or 4w") from fault
    if seconds < 1 or text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{text} would be over already; expected a time to come, such as 12h or 30d")
    return seconds


def _size(text: str) -> int:
    try:
        return _limit(parse_size(text))
    except InvalidValue as invalid:
        raise argparse.ArgumentTypeError(f"expected {invalid}") from invalid


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise argparse.ArgumentTypeError("expected a whole number")
    return _limit(int(text))


def _limit(value: int) -> int:
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more; leave it out for no limit")
    return value


_LIMITS: tuple[tuple[str, Callable[[str], int], str, str], ...] = (
    ("max_file_bytes", _size, "SIZE", 'the largest file, such as "50 MB"'),
    ("max_expiry_s", _duration, "TIME", "how long an image can be kept, such as 30d"),
    ("max_images", _count, "N", "how many images can be on this host at once"),
    ("max_bytes", _size, "SIZE", "how much they can have in all"),
    ("max_images_a_day", _count, "N", "how many images a day (UTC)"),
    ("max_bytes_a_day", _size, "SIZE", "how much a day (UTC)"),
    ("max_uploads_a_minute", _count, "N", "how many uploads a minute"),
)
