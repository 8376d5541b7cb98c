"""The doctor's checkup: one check after the other; one that breaks ends no other."""

from collections.abc import AsyncIterator, Callable

from appliance.config.model import Config
from appliance.doctor import backups, caches, components, limits, machine, network, rows
from appliance.doctor.findings import Finding, fault

Check = Callable[[Config], AsyncIterator[Finding]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", machine.python),
    ("libvips", components.libvips),
    ("fast-jpeg", components.fast_jpeg),
    ("sandbox", components.sandbox),
    ("disk", machine.disk),
    ("network", network.network),
    ("catalogue", rows.catalogue),
    ("clock", rows.clock),
    ("store", components.store),
    ("backups", backups.backups),
    ("cdn", caches.cdn),
    ("limits", limits.limits),
    ("listen", machine.addresses),
)


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is known."""
    for part, check in CHECKS:
        try:
            async for finding in check(config):
                yield finding
        except Exception as error:
            yield fault(part, f"check failed: {type(error).__name__}: {error}")
