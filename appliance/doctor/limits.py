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
            f"all people who come through the proxy at {proxy} count as one: add its address to server.trusted_proxies",
        )
    elif status.get("forwarding_strangers"):
        yield warn(
            "limits",
            "peers on the internet send forwarding headers: if a CDN is in front, add its networks to "
            "server.trusted_proxies; if not, somebody tries to be taken for others, and isn't",
        )
    else:
        is_on = status.get("limits", "on" if config.limits_on else "off") == "on"
        yield ok("limits", f"clients are {'limited' if is_on else 'not limited'} (limits.mode = {config.limits.mode})")
