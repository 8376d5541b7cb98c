"""`appliance ban`: bans are added, listed and removed, by the running server or, without one, here."""

import argparse
import asyncio
import calendar
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from appliance.access.ban_orders import BanOrder, BanVerb, carry_out_ban
from appliance.access.bans import Bans
from appliance.catalogue.opening import open_catalogue
from appliance.commands.store_notice import warn_unless_in_store
from appliance.config.model import Config
from appliance.domain.clock import YEAR_10000_S, system_clock
from appliance.domain.errors import InvalidExpiry, ServerNotRunning
from appliance.domain.upload_options import parse_duration
from appliance.server.control import ask_ban
from appliance.server.data_dir_lock import owned_data_dir
from appliance.server.startup_checks import refuse_lost_catalogue


def add_arguments(parser: argparse.ArgumentParser, verb: BanVerb) -> None:
    """The arguments of one of the commands."""
    if verb is BanVerb.LIST:
        parser.add_argument("--json", action="store_true", help="print everything that is known, as JSON")
        return
    parser.add_argument(
        "whom", metavar="PREFIX|KEY", help="an address, a network such as 192.0.2.0/24, or an access key's name or id"
    )
    if verb is BanVerb.REMOVE:
        return
    parser.add_argument(
        "--until",
        metavar="TIME",
        type=_until,
        help="how long, such as 7d, or a date or time (UTC), such as 2027-01-31 or 2027-01-31T12:00; default: for good",
    )
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is shown to those who are banned")
    parser.add_argument("--views", action="store_true", help="show them nothing either")
    parser.add_argument("--force", action="store_true", help="even if it concerns this machine or a trusted proxy")


def ban(config: Config, verb: BanVerb, arguments: argparse.Namespace) -> int:
    """Prints the bans in force on standard output, and what happened on standard error.

    Raises InvalidField, Conflict, UnknownKey, UnknownBan, CommandFailed, DataDirectoryLocked, UnfitInstallation.
    """
    order = _order(verb, arguments)
    try:
        answer = asyncio.run(ask_ban(config, order))
    except ServerNotRunning:
        with owned_data_dir(config):
            refuse_lost_catalogue(config)
            answer = asyncio.run(_carry_out_alone(config, order))
    if verb is not BanVerb.LIST:
        _print_outcome(verb, *answer["bans"])
        warn_unless_in_store(answer)
    elif arguments.json:
        print(json.dumps(answer["bans"], indent=2, ensure_ascii=False))
    else:
        _print_table(answer["bans"])
    return 0


async def _carry_out_alone(config: Config, order: BanOrder) -> dict[str, Any]:
    """The store is told by the next server."""
    async with open_catalogue(config) as catalogue:
        proxies = config.server.trusted_proxies
        bans = Bans(catalogue.bans, keys=catalogue.keys, trusted_proxies=proxies, clock=system_clock)
        return await carry_out_ban(bans, catalogue.records, order)


def _order(verb: BanVerb, arguments: argparse.Namespace) -> BanOrder:
    if verb is BanVerb.LIST:
        return BanOrder(verb)
    if verb is BanVerb.REMOVE:
        return BanOrder(verb, arguments.whom)
    return BanOrder(verb, arguments.whom, arguments.reason, arguments.until, arguments.views, arguments.force)


def _print_outcome(verb: BanVerb, known: Mapping[str, Any]) -> None:
    print(f"{_subject(known)} is {'no longer banned' if verb is BanVerb.REMOVE else _banned(known)}.", file=sys.stderr)


def _print_table(bans: list[Mapping[str, Any]]) -> None:
    rows = [("WHOM", "ENDS", "VIEWS", "REASON"), *(_row(known) for known in bans)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(known: Mapping[str, Any]) -> tuple[str, ...]:
    end = "never" if known["until_s"] is None else _time(known["until_s"])
    return _subject(known), end, "refused" if known["views"] else "open", known["reason"]


def _subject(known: Mapping[str, Any]) -> str:
    """Of a key its name too, by which people know it."""
    subject, name = known["subject"], known["name"]
    return f"{subject} ({name})" if name else str(subject)


def _banned(known: Mapping[str, Any]) -> str:
    return "banned for good" if known["until_s"] is None else f"banned until {_time(known['until_s'])}"


def _time(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M} UTC"


def _until(text: str) -> int:
    """The end in unix seconds, from a duration or a time."""
    try:
        duration_s = parse_duration(text.removeprefix("-"))
    except InvalidExpiry:
        end_s = _parse_time(text)
    else:
        end_s = int(system_clock()) + (-duration_s if text.startswith("-") else duration_s)
    if end_s >= YEAR_10000_S:
        raise argparse.ArgumentTypeError("expected a time before the year 10000; without --until a ban has no end")
    return end_s


def _parse_time(text: str) -> int:
    try:
        return calendar.timegm(datetime.fromisoformat(text).utctimetuple())
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("expected a duration such as 7d, or a date such as 2027-01-31") from None
