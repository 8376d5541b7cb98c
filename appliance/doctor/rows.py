"""The doctor's look at the catalogue, only reading it, and at the clock by what the catalogue remembers."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from appliance.catalogue import check_file, remembered_s, require_sqlite
from appliance.config.model import Config
from appliance.doctor.findings import Finding, fault, in_units, ok, warn
from appliance.domain.errors import ApplianceError
from appliance.domain.slugs import EPOCH_S
from appliance.lifecycle.expiry import ABSENCE_S, BACKWARD_S, LAST_RUN


async def catalogue(config: Config) -> AsyncIterator[Finding]:
    path = config.catalogue_path
    try:
        version = require_sqlite()
        if not path.exists():
            yield warn("catalogue", f"{path} doesn't exist yet; the first start creates it")
            return
        problems = await check_file(path)
    except ApplianceError as error:
        yield fault("catalogue", error.detail)
        return
    if problems:
        advice = "restore a backup, or run `appliance catalogue rebuild` with the server stopped"
        yield fault("catalogue", f"{problems[0]} ({len(problems)} in total); {advice}")
    else:
        size = in_units(path.stat().st_size)
        yield ok("catalogue", f"{path}, {size}, is intact; SQLite {version}")


async def clock(config: Config) -> AsyncIterator[Finding]:
    now_s = time.time()
    last_s = None
    if config.catalogue_path.exists():
        last_s = await remembered_s(config.catalogue_path, LAST_RUN)
    shown = _shown(now_s)
    if now_s < EPOCH_S:
        yield fault("clock", f"{shown} is before 2026: set the clock, or images won't expire on time")
    elif last_s is not None and now_s < last_s - BACKWARD_S:
        yield fault("clock", f"{shown} is before the last run ({_shown(last_s)}): set the clock")
    elif last_s is not None and now_s > last_s + ABSENCE_S:
        yield warn("clock", f"{shown}; the last run was at {_shown(last_s)}: is the clock right?")
    else:
        yield ok("clock", shown)


def _shown(moment_s: float) -> str:
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
