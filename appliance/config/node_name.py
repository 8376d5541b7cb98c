"""What this server is called among others, if the configuration doesn't say."""

import re
import socket
from pathlib import Path

from appliance.config.model import NodeConfig

MAX_CHARS = 40
OWN_CGROUP = Path("/proc/self/cgroup")
_INSTANCE = re.compile(r"@([^/@]+)\.service$", re.MULTILINE)


def node_name(config: NodeConfig) -> str:
    """The name that is set, else the machine's with the instance of the unit, such as `box-1` of `appliance@1`."""
    if config.name is not None:
        return config.name
    instance = _instance()
    name = socket.gethostname().partition(".")[0] + (f"-{instance}" if instance else "")
    return re.sub(r"[^a-z0-9-]", "-", name.lower())[-MAX_CHARS:] or "node"


def _instance() -> str:
    """The instance of the systemd unit that this process belongs to; empty if it has none."""
    try:
        found = _INSTANCE.search(OWN_CGROUP.read_text())
    except OSError:
        return ""
    return found[1] if found else ""
