"""`appliance drain` and `undrain`: refuse uploads for a while, and wait until everything is in the store."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.server.control import ask_drain, ask_status

POLL_EVERY_S = 0.5

Status = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--no-wait", action="store_true", help="return immediately; viewing continues either way")
    parser.add_argument(
        "--announce",
        type=int,
        default=0,
        metavar="SECONDS",
        help="accept uploads for so long after /readyz says it, so that a front with other servers asks those",
    )


def drain(config: Config, *, wait: bool, announce_s: int = 0) -> int:
    """Has uploads refused, and returns once everything is in the store. Raises ServerNotRunning, CommandFailed.

    For `announce_s` seconds before, /readyz says that the server drains, and uploads are still accepted.
    """
    return asyncio.run(_drain(config, wait=wait, announce_s=announce_s))


def undrain(config: Config) -> int:
    """Has uploads accepted again. Raises ServerNotRunning, CommandFailed."""
    asyncio.run(ask_drain(config, drained=False))
    print("Uploads are accepted again.")
    return 0


async def _drain(config: Config, *, wait: bool, announce_s: int) -> int:
    if announce_s:
        await ask_drain(config, drained=False, announced=True)
        print(f"/readyz says that this server drains. Uploads are accepted for {announce_s} s more.", flush=True)
        await asyncio.sleep(announce_s)
    await ask_drain(config, drained=True)
    print(
        "Uploads are now refused, and /readyz says so. Viewing continues. "
        "Run `appliance undrain` to accept uploads again.",
        flush=True,
    )
    said = ""
    while left := describe_rest(status := await ask_status(config)):
        if left != said:
            print(f"Waiting: {left}.", flush=True)
            said = left
        if not wait:
            return 0
        if not status["drained"]:
            raise CommandFailed("Uploads were accepted again by `appliance undrain` or a restart of the server.")
        await asyncio.sleep(POLL_EVERY_S)
    print("Everything is in the store.")
    if unfinished := status["uploads_unfinished"]:
        print(f"Unfinished resumable uploads that can resume after `appliance undrain`: {unfinished}.", file=sys.stderr)
    return 0


def describe_rest(status: Status) -> str:
    """What is not in the store yet, in words; empty when everything is."""
    kinds = {
        "uploads_arriving": "uploads in progress",
        "waiting_for_the_store": "originals not yet in the store",
        "changes_waiting_for_the_store": "changes not yet in the store",
    }
    left = ", ".join(f"{count} {words}" for name, words in kinds.items() if (count := status[name]))
    fault = "" if status["store"] == "ok" else f" (the store has a fault: {status['store']})"
    return left and left + fault
