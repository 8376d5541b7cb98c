"""`appliance status`: the state of the running server, as it reports it."""

import asyncio
import json

from appliance.config.model import Config
from appliance.server.control import ask_status


def status(config: Config) -> int:
    """Prints the server's state as JSON. Returns 0 when it is ready. Raises ServerNotRunning, CommandFailed."""
    answer = asyncio.run(ask_status(config))
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0 if answer.get("ready") else 1
