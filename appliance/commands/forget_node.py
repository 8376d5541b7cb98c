"""`appliance forget-node`: the catalogue forgets a node that is gone for good."""

import argparse
import asyncio
import sys

from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.server.control import ask_forget_node, ask_only_on_node, ask_takedown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `appliance forget-node`."""
    parser.add_argument("name", metavar="NAME", help="its name, as `appliance status` shows it")
    parser.add_argument(
        "--originals-are-lost",
        action="store_true",
        help="end the images whose originals only this node had, for good: its disk is lost",
    )


def forget_node(config: Config, name: str, *, are_lost: bool = False) -> int:
    """Prints what was done. Raises ServerNotRunning, CommandFailed."""
    asyncio.run(_forget_node(config, name, are_lost=are_lost))
    print(f"The node {name} is forgotten.")
    return 0


async def _forget_node(config: Config, name: str, *, are_lost: bool) -> None:
    while slugs := await ask_only_on_node(config, name):
        if not are_lost:
            print(*slugs, sep="\n", file=sys.stderr)
            raise CommandFailed(
                f"The originals of these images are on the node {name} alone. Start it with its data directory, so "
                "that it brings them to the store; those of images that have ended, once they are restored. If its "
                "disk is lost, --originals-are-lost ends all of them for good."
            )
        for slug in slugs:
            await ask_takedown(config, slug)
            print(f"{slug}: the original is lost, and the image is taken down.", flush=True)
    await ask_forget_node(config, name)
