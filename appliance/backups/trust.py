"""Which backups are believed: whoever can write to a place can put there what calls itself one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.backups.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, made_at, read
from appliance.backups.places import Place, whole
from appliance.backups.signing import SIGNATURE, Trust, require_signed
from appliance.domain.errors import ApplianceError, CommandFailed

LOOKED_AT = 100
"""So many of a place are opened in search of one that is believed: each costs two fetches and a signature."""
MAX_SIGNATURE_BYTES = 100_000
MOST_SAID = 5
AHEAD = timedelta(days=1)
"""Clocks of two machines may differ by so much."""


class NotBelieved(CommandFailed):
    """A backup that may be somebody else's: unsigned, changed, of another name, or no backup at all."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest backup that is believed, and why each newer one was passed over."""

    place: Place
    backup: str
    passed: tuple[str, ...] = ()


def from_the_future(backup: str, now: datetime) -> bool:
    """Such a name would stay the newest for years, whoever gave it: somebody, or a clock that was wrong."""
    return made_at(backup) > now + AHEAD


async def believed(place: Place, backup: str, folder: Path, trust: Trust) -> Manifest:
    """Its manifest, fetched into `folder`; the signature is checked before a byte of it is read as a manifest.

    Raises NotBelieved, and what the place raises where it can't be asked at all.
    """
    try:
        await place.fetch(backup, MANIFEST, folder / MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
        if trust.signers:
            await _require_signed(place, backup, folder, trust.signers)
        manifest = read(folder / MANIFEST)
    except NotBelieved:
        raise
    except CommandFailed as fault:
        raise NotBelieved(f"The backup {backup} in {place.name}: {fault.detail}") from fault
    if manifest.backup != backup:
        raise NotBelieved(f"The manifest of {backup} belongs to {manifest.backup}.")
    if trust.encrypted and not all(part.encrypted for part in manifest.parts):
        raise NotBelieved(
            f"The backup {backup} in {place.name} is not encrypted, but backup.age_recipients requires it. "
            f"It may not be yours. {_anyway(backup)}"
        )
    return manifest


async def _require_signed(place: Place, backup: str, folder: Path, signers: Sequence[str]) -> None:
    try:
        await place.fetch(backup, SIGNATURE, folder / SIGNATURE, max_bytes=MAX_SIGNATURE_BYTES)
    except CommandFailed as fault:
        raise NotBelieved(
            f"The backup {backup} in {place.name} has no signature, but backup.signers or a signing key requires it. "
            f"It may not be yours. {_anyway(backup)} ({fault.detail})"
        ) from fault
    await require_signed(folder / MANIFEST, folder / SIGNATURE, signers)


def _anyway(backup: str) -> str:
    return f"If you made it yourself: appliance restore --unprotected --backup {backup}."


async def candidates(places: Sequence[Place]) -> tuple[list[tuple[str, Place]], list[str]]:
    """Every whole backup by name and place, newest first, and the faults of places that can't be asked."""
    found: list[tuple[str, Place]] = []
    faults = []
    for place in places:
        try:
            found += [(backup, place) for backup in await whole(place)]
        except ApplianceError as fault:
            faults.append(f"{place.name}: {fault.detail}")
    return sorted(found, key=lambda each: each[0], reverse=True), faults


async def newest_believed(places: Sequence[Place], folder: Path, trust: Trust, now: datetime | None = None) -> Newest:
    """The newest that is believed, in the first of several places. Raises CommandFailed where none is."""
    now = now or datetime.now(UTC)
    found, faults = await candidates(places)
    where = ", ".join(place.name for place in places) or "no place"
    if not found:
        raise CommandFailed(" ".join([f"There is no complete backup in {where}.", *faults]))
    passed: list[str] = []
    looked_at: Counter[str] = Counter()
    for backup, place in found:
        if from_the_future(backup, now):
            passed.append(f"The backup {backup} in {place.name} has a date in the future.")
        elif looked_at[place.name] < LOOKED_AT:
            looked_at[place.name] += 1
            try:
                await believed(place, backup, folder, trust)
            except NotBelieved as fault:
                passed.append(fault.detail)
            else:
                return Newest(place, backup, tuple(passed))
    raise CommandFailed(
        f"None of the newest {LOOKED_AT} backups in {where} can be trusted. If you know one that is yours, name it: "
        f"--backup NAME. {' '.join([*_some(passed), *faults])}"
    )


def _some(passed: Sequence[str]) -> list[str]:
    more = len(passed) - MOST_SAID
    return [*passed[:MOST_SAID], *([f"And {more} more."] if more > 0 else [])]
