"""The doctor's check of limits on clients: whether they are on, and whether clients can be told apart."""

from collections.abc import AsyncIterator

from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.server.control import ask_status


async def limits(config: Config) -> AsyncIterator[Finding]:
    try:
        status = await ask_status(config)
    except ApplianceError:  # also where none runs
        status = {}
    if proxy := status.get("untrusted_proxy"):
        yield fault(
            "limits",
            f"all people who come through the proxy at {proxy} count as one{_what_holds(status.get('limits'))}: "
            "add its address to server.trusted_proxies",
        )
    elif status.get("limits") == "together":
        yield warn(
            "limits",
            "a peer on this machine sends forwarding headers and isn't trusted, so that only everybody together is "
            "limited: if it is a proxy, add its address to server.trusted_proxies",
        )
    elif status.get("forwarding_strangers"):
        yield warn(
            "limits",
            "peers on the internet send forwarding headers: if a CDN is in front, add its networks to "
            "server.trusted_proxies; if not, somebody tries to be taken for others, and isn't",
        )
    else:
        yield ok("limits", _mode(config, status.get("limits")))


def _what_holds(running: object) -> str:
    return ", and no limit holds" if running == "off" else ", so that only limits on everybody together hold"


def _mode(config: Config, running: object) -> str:
    """Whether clients are limited: what the running server says, which may have another configuration, comes first."""
    if running is not None:
        return f"the running server {'limits' if running == 'on' else 'does not limit'} its clients"
    verb = "would limit" if config.limits_on else "would not limit"
    return f"a server with this configuration {verb} its clients (limits.mode = {config.limits.mode})"
