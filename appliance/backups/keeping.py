"""Which backups stay: the newest of each of the last days that have one, and of each of the last weeks."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from appliance.backups.manifest import MANIFEST, made_at
from appliance.backups.places import Place

HALF_KEPT = timedelta(days=1)
"""A half backup may be one that is being brought just now, by another machine for instance."""


def kept(backups: Iterable[str], *, daily: int, weekly: int) -> set[str]:
    """Those of `backups`, given by name, that stay; the newest does in any case."""
    newest_first = sorted(backups, reverse=True)
    days: dict[str, str] = {}
    weeks: dict[tuple[int, int], str] = {}
    for backup in newest_first:
        year, week, _ = made_at(backup).isocalendar()
        days.setdefault(backup[:8], backup)
        weeks.setdefault((year, week), backup)
    return {*newest_first[:1], *list(days.values())[:daily], *list(weeks.values())[:weekly]}


def most_kept(*, daily: int, weekly: int) -> int:
    """How many stay at most, of one a day: on a Sunday, when the days reach into the fewest weeks."""
    return daily + max(0, weekly - math.ceil(daily / 7))


async def tidy(
    place: Place, *, daily: int, weekly: int, coming: str | None = None, now: datetime | None = None
) -> list[str]:
    """Remove what need not stay, and what was never finished; the names of those. Raises what the place raises.

    With a backup that is `coming`, what it will take the place of goes before it is there; the newest whole one stays.
    """
    now = now or datetime.now(UTC)
    files = await place.files()
    whole = {backup for backup, names in files.items() if MANIFEST in names}
    half = {backup for backup in files if backup not in whole and now - made_at(backup) > HALF_KEPT}
    staying = kept(whole | {coming} if coming else whole, daily=daily, weekly=weekly)
    going = sorted((whole - staying - {max(whole, default="")}) | half)
    for backup in going:
        await place.remove(backup)
    return going
