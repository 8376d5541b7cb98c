"""`appliance forget-node`: the catalogue forgets a node that is gone for good."""

import asyncio

from appliance.config.model import Config
from appliance.server.control import ask_forget_node


def forget_node(config: Config, name: str) -> int:
    """Prints what was done. Raises ServerNotRunning, CommandFailed."""
    asyncio.run(ask_forget_node(config, name))
    print(f"The node {name} is forgotten.")
    return 0
