"""The doctor's look at the shared caches in front of this host: whether they take purges, and what they still owe."""

import time
from collections.abc import AsyncIterator

from appliance.catalogue import PendingPurges
from appliance.catalogue.opening import stored_catalogue
from appliance.cdn import PROBE_TAG, shared_caches
from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, ok, warn
from appliance.domain.errors import ApplianceError, PurgeFailed

LATE_S = 300  # a cache that is up has confirmed long before


async def cdn(config: Config) -> AsyncIterator[Finding]:
    waiting = await _waiting(config)
    caches = shared_caches(config.cdn)
    if caches is None:
        yield _without_purges(waiting)
        return
    try:
        await caches.purge([PROBE_TAG])
    except PurgeFailed as error:
        yield fault("cdn", f"{error.detail} Until then it may still show deleted images")
    else:
        yield ok("cdn", f"accepts purges ({config.cdn.purge})")
    finally:
        await caches.close()
    late_s = time.time() - (waiting.oldest_due_s or time.time())
    if late_s > LATE_S:
        yield warn("cdn", f"{waiting.tags} purges wait, the oldest for {late_s / 60:.0f} minutes: does the server run?")


def _without_purges(waiting: PendingPurges) -> Finding:
    if waiting.tags:
        remedy = "set it again, or purge the whole cache by hand"
        return warn("cdn", f"purges are pending ({waiting.tags}), but cdn.purge is not set: {remedy}")
    return ok("cdn", "no purging is configured; shared caches keep images for up to an hour, as browsers do")


async def _waiting(config: Config) -> PendingPurges:
    try:
        catalogue = stored_catalogue(config)
        if not catalogue.exists:
            return PendingPurges()
        return await catalogue.count_pending_purges(int(time.time()))
    except ApplianceError:  # told by the look at the catalogue; or it is of an older release
        return PendingPurges()
