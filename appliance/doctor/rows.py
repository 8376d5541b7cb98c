"""The doctor's checks of the catalogue, and of the clock by the times in it. They only read."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from appliance.catalogue.opening import catalogue_file
from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, in_units, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.domain.slugs import EPOCH_S
from appliance.lifecycle.clock_guard import ABSENCE_S, BACKWARD_S, LAST_RUN
from appliance.server.control import ask_status


async def catalogue(config: Config) -> AsyncIterator[Finding]:
    """Whether the catalogue's file is there and intact. Reads the whole file."""
    file = catalogue_file(config)
    try:
        engine = file.require_engine()
        if not file.exists:
            yield warn("catalogue", f"{file} doesn't exist yet; the first start creates it")
            return
        problems = await file.find_problems()
    except ApplianceError as error:
        yield fault("catalogue", error.detail)
        return
    if problems:
        advice = "restore a backup, or run `appliance catalogue rebuild` with the server stopped"
        yield fault("catalogue", f"{problems[0]} ({len(problems)} in total); {advice}")
    else:
        yield ok("catalogue", f"{file}, {in_units(file.size_bytes)}, is intact; {engine}")


async def clock(config: Config) -> AsyncIterator[Finding]:
    """Whether the clock is plausible: it must not be long before or after the last run, nor doubted by the server."""
    now_s = time.time()
    file = catalogue_file(config)
    last_s = await file.last_known_s(LAST_RUN) if file.exists else None
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


async def _doubt_of_server(config: Config) -> str | None:
    """Why the running server doesn't trust the clock; None if it does, and where none answers."""
    try:
        said = (await ask_status(config)).get("clock", "ok")
    except ApplianceError:
        return None
    return None if said == "ok" else str(said)


def _shown(moment_s: float) -> str:
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
