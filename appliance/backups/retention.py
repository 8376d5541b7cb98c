"""Which backups stay: the newest of each of the last days that have one, and of each of the last weeks."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.backups.manifest import MANIFEST, made_at
from appliance.backups.places import Place
from appliance.backups.signing import Trust
from appliance.backups.trust import LOOKED_AT, NotBelieved, believed, from_the_future

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


@dataclass(frozen=True, slots=True)
class Tidied:
    """The names that were removed, and those that neither count nor go by themselves."""

    removed: list[str]
    left_alone: list[str]


async def tidy(
    place: Place,
    *,
    daily: int,
    weekly: int,
    folder: Path,
    trust: Trust,
    coming: str | None = None,
    now: datetime | None = None,
) -> Tidied:
    """Remove what need not stay, and what was never finished. Raises what the place raises.

    Only what is believed counts, and only that goes: somebody who can write to the place displaces nothing by names.
    With a backup that is `coming`, or was brought just now, what it takes the place of goes; the newest of the others
    stays until it is there. Manifests are fetched into `folder`, of a bounded number: the newest.
    """
    now = now or datetime.now(UTC)
    files = await place.files()
    past = {backup for backup in files if not from_the_future(backup, now)}
    whole = sorted((backup for backup in past if MANIFEST in files[backup]), reverse=True)
    half = {backup for backup in past - set(whole) if now - made_at(backup) > HALF_KEPT}
    ours = {coming} & set(whole) if coming else set()
    for backup in whole[: LOOKED_AT + daily + weekly]:
        if backup not in ours and await _is_ours(place, backup, folder, trust):
            ours.add(backup)
    staying = {max(ours, default=""), coming} | kept(ours | ({coming} if coming else set()), daily=daily, weekly=weekly)
    going = sorted((ours - staying) | half)
    for backup in going:
        await place.remove(backup)
    return Tidied(going, sorted((set(files) - past) | (set(whole) - ours)))


async def _is_ours(place: Place, backup: str, folder: Path, trust: Trust) -> bool:
    """One that is not encrypted may be of before there was a key for that."""
    try:
        await believed(place, backup, folder, replace(trust, encrypted=False))
    except NotBelieved:
        return False
    return True
