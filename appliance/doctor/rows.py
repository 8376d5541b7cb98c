"""The doctor's checks of the catalogue, and of the clock by the times in it. They only read."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from appliance.catalogue.opening import stored_catalogue
from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, in_units, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.domain.slugs import EPOCH_S
from appliance.lifecycle.clock_guard import ABSENCE_S, BACKWARD_S, LAST_RUN
from appliance.server.control import ask_status

OLD_COPY_S = 86_400
_OR_REBUILD = ", or run `appliance catalogue rebuild` with the server stopped"


async def catalogue(config: Config) -> AsyncIterator[Finding]:
    """Whether the catalogue is there and intact. Reads all of it."""
    try:
        stored = stored_catalogue(config)
        engine = stored.require_engine()
        if not stored.exists:
            yield warn("catalogue", f"{stored} doesn't exist yet; the first start creates it")
            return
        problems, size = await stored.find_problems(), in_units(stored.size_bytes)
        copied_s = await stored.logged_since_s()
    except ApplianceError as error:
        yield fault("catalogue", error.detail)
        return
    if problems:
        advice = "restore a backup" + ("" if config.catalogue.url else _OR_REBUILD)
        yield fault("catalogue", f"{problems[0]} ({len(problems)} in total); {advice}")
    elif copied_s is not None and time.time() - copied_s > OLD_COPY_S:
        yield warn(
            "catalogue",
            f"{stored} is intact; every change is logged since {_shown(copied_s)}, for a copy: finish it with "
            "`appliance catalogue copy --to …`, or end it with `appliance catalogue copy --abandon`",
        )
    else:
        yield ok("catalogue", f"{stored}, {size}, is intact; {engine}")


async def clock(config: Config) -> AsyncIterator[Finding]:
    """Whether the clock is plausible: it must not be long before or after the last run, nor doubted by the server."""
    now_s = time.time()
    last_s = await _last_run_s(config)
    shown = _shown(now_s)
    if now_s < EPOCH_S:
        yield fault("clock", f"{shown} is before 2026: set the clock, or images won't expire on time")
    elif last_s is not None and now_s < last_s - BACKWARD_S:
        yield fault("clock", f"{shown} is before the last run ({_shown(last_s)}): set the clock")
    elif last_s is not None and now_s > last_s + ABSENCE_S:
        yield warn("clock", f"{shown}; the last run was at {_shown(last_s)}: is the clock right?")
    elif (doubt := await _doubt_of_server(config)) is not None:
        yield fault("clock", f"{shown}; {doubt}")
    else:
        yield ok("clock", shown)


async def _last_run_s(config: Config) -> int | None:
    """When the server ran last, in unix seconds; None if it never did, and where the catalogue can't be read."""
    try:
        stored = stored_catalogue(config)
        return await stored.last_known_s(LAST_RUN) if stored.exists else None
    except ApplianceError:  # said by the look at the catalogue
        return None


async def _doubt_of_server(config: Config) -> str | None:
    """Why the running server doesn't trust the clock; None if it does, and where none answers."""
    try:
        said = (await ask_status(config)).get("clock", "ok")
    except ApplianceError:
        return None
    return None if said == "ok" else str(said)


def _shown(moment_s: float) -> str:
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
