"""The doctor's look at the catalogue, only reading it, and at the clock by what the catalogue remembers."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.catalogue import check_file
from appliance.catalogue.connections import open_reader, require_sqlite
from appliance.catalogue.queries import newest_created_s
from appliance.config import Config
from appliance.doctor.findings import Finding, fault, in_units, ok, warn
from appliance.errors import ApplianceError
from appliance.slugs import EPOCH_S

_BACKWARD_S = 300
_ABSENCE_S = 60 * 86_400


async def catalogue(config: Config) -> AsyncIterator[Finding]:
    path = config.catalogue_path
    try:
        require_sqlite()
        if not path.exists():
            yield warn("catalogue", f"{path} is not there yet; the first start makes it")
            return
        problems = await check_file(path)
    except ApplianceError as error:
        yield fault("catalogue", error.detail)
        return
    if problems:
        advice = "restore a backup, or run `appliance catalogue rebuild` with the server stopped"
        yield fault("catalogue", f"{problems[0]} ({len(problems)} in all); {advice}")
    else:
        size = in_units(path.stat().st_size)
        yield ok("catalogue", f"{path}, {size}, is whole; SQLite {sqlite3.sqlite_version}")


async def clock(config: Config) -> AsyncIterator[Finding]:
    now_s = time.time()
    newest_s = None
    if config.catalogue_path.exists():
        newest_s = await asyncio.to_thread(_newest_s, config.catalogue_path)
    shown = _shown(now_s)
    if now_s < EPOCH_S:
        yield fault("clock", f"{shown} is before 2026: set the clock, or nothing expires when it should")
    elif newest_s is not None and now_s < newest_s - _BACKWARD_S:
        yield fault("clock", f"{shown} is before the newest image ({_shown(newest_s)}): set the clock")
    elif newest_s is not None and now_s > newest_s + _ABSENCE_S:
        yield warn("clock", f"{shown}; the newest image is of {_shown(newest_s)}: is the clock right?")
    else:
        yield ok("clock", shown)


def _newest_s(path: Path) -> int | None:
    connection = open_reader(path)
    try:
        return newest_created_s(connection)
    finally:
        connection.close()


def _shown(moment_s: float) -> str:
    return f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
