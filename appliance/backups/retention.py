"""Which backups are kept: the newest of each of the last days that have one, and of each of the last weeks."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.backups.manifest import MANIFEST, created_at
from appliance.backups.places import Place
from appliance.backups.signing import Trust
from appliance.backups.trust import MAX_OPENED, UntrustedBackup, fetch_trusted_manifest, is_from_the_future

UNFINISHED_KEPT = timedelta(days=1)
"""An unfinished backup may be one that is being delivered now, for example by another machine."""


def backups_to_keep(backups: Iterable[str], *, daily: int, weekly: int) -> set[str]:
    """Those of `backups`, by name, that are kept; the newest one always is."""
    newest_first = sorted(backups, reverse=True)
    days: dict[str, str] = {}
    weeks: dict[tuple[int, int], str] = {}
    for backup in newest_first:
        year, week, _ = created_at(backup).isocalendar()
        days.setdefault(backup[:8], backup)
        weeks.setdefault((year, week), backup)
    return {*newest_first[:1], *list(days.values())[:daily], *list(weeks.values())[:weekly]}


def max_backups(*, daily: int, weekly: int) -> int:
    """The most backups that are kept with one a day: on a Sunday, when the days reach into the fewest weeks."""
    return daily + max(0, weekly - math.ceil(daily / 7))


@dataclass(frozen=True, slots=True)
class Pruned:
    """The names of removed backups, and of those that retention ignores."""

    removed: list[str]
    ignored: list[str]


async def prune(
    place: Place,
    *,
    daily: int,
    weekly: int,
    folder: Path,
    trust: Trust,
    coming: str | None = None,
    now: datetime | None = None,
) -> Pruned:
    """Remove old backups, and unfinished ones. Raises what the place raises.

    Only trusted backups count and only they are removed, so that somebody who can write to the place can't displace any
    by names alone. `coming` is a backup that is about to be delivered, or has been: the ones that it replaces go, but
    the newest of the others stays until it is there. Manifests of a bounded number of backups, the newest, are fetched
    into `folder`.
    """
    now = now or datetime.now(UTC)
    files = await place.files()
    past = {backup for backup in files if not is_from_the_future(backup, now)}
    whole = sorted((backup for backup in past if MANIFEST in files[backup]), reverse=True)
    half = {backup for backup in past - set(whole) if now - created_at(backup) > UNFINISHED_KEPT}
    ours = {coming} & set(whole) if coming else set()
    for backup in whole[: MAX_OPENED + daily + weekly]:
        if backup not in ours and await _is_trusted(place, backup, folder, trust):
            ours.add(backup)
    staying = {max(ours, default=""), coming} | backups_to_keep(
        ours | ({coming} if coming else set()), daily=daily, weekly=weekly
    )
    going = sorted((ours - staying) | half)
    for backup in going:
        await place.remove(backup)
    return Pruned(going, sorted((set(files) - past) | (set(whole) - ours)))


async def _is_trusted(place: Place, backup: str, folder: Path, trust: Trust) -> bool:
    """A backup that is not encrypted may be older than the key."""
    try:
        await fetch_trusted_manifest(place, backup, folder, replace(trust, encrypted=False))
    except UntrustedBackup:
        return False
    return True
