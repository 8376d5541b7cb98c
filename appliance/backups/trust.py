"""Which backups are trusted: anybody who can write to a place can put something there that looks like one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.backups.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, created_at, read_manifest
from appliance.backups.places import Place, list_complete
from appliance.backups.signing import SIGNATURE, Trust, require_signed
from appliance.domain.errors import ApplianceError, CommandFailed

MAX_OPENED = 100
"""How many backups of a place are tried to find a trusted one: each costs two fetches and a signature check."""
MAX_SIGNATURE_BYTES = 100_000
MAX_LISTED = 5
MAX_CLOCK_DIFFERENCE = timedelta(days=1)
"""How far the clocks of two machines may differ."""


class UntrustedBackup(CommandFailed):
    """The backup may not be ours: it is unsigned, changed, has another's name, or is no backup at all."""


@dataclass(frozen=True, slots=True)
class NewestBackup:
    """The newest trusted backup, and why each newer one was skipped."""

    place: Place
    backup: str
    skipped: tuple[str, ...] = ()


def is_from_the_future(backup: str, now: datetime) -> bool:
    """Whether the name is from the future, because of a wrong clock or on purpose: it would be the newest for years."""
    return created_at(backup) > now + MAX_CLOCK_DIFFERENCE


async def fetch_trusted_manifest(place: Place, backup: str, folder: Path, trust: Trust) -> Manifest:
    """The backup's manifest, fetched into `folder`. The signature is checked before the manifest is parsed.

    Raises UntrustedBackup, and what the place raises if it can't be reached.
    """
    try:
        await place.fetch(backup, MANIFEST, folder / MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
        if trust.signers:
            await _require_signed(place, backup, folder, trust.signers)
        manifest = read_manifest(folder / MANIFEST)
    except UntrustedBackup:
        raise
    except CommandFailed as fault:
        raise UntrustedBackup(f"The backup {backup} in {place.name}: {fault.detail}") from fault
    if manifest.backup != backup:
        raise UntrustedBackup(f"The manifest of {backup} belongs to {manifest.backup}.")
    if trust.encrypted and not all(part.encrypted for part in manifest.parts):
        raise UntrustedBackup(
            f"The backup {backup} in {place.name} is not encrypted, but backup.age_recipients requires it. "
            f"It may not be yours. {_how_to_restore_anyway(backup)}"
        )
    return manifest


async def _require_signed(place: Place, backup: str, folder: Path, signers: Sequence[str]) -> None:
    try:
        await place.fetch(backup, SIGNATURE, folder / SIGNATURE, max_bytes=MAX_SIGNATURE_BYTES)
    except CommandFailed as fault:
        raise UntrustedBackup(
            f"The backup {backup} in {place.name} has no signature, but backup.signers or a signing key requires it. "
            f"It may not be yours. {_how_to_restore_anyway(backup)} ({fault.detail})"
        ) from fault
    await require_signed(folder / MANIFEST, folder / SIGNATURE, signers)


def _how_to_restore_anyway(backup: str) -> str:
    return f"If you made it yourself: appliance restore --unprotected --backup {backup}."


async def list_backups(places: Sequence[Place]) -> tuple[list[tuple[str, Place]], list[str]]:
    """Every complete backup by name and place, newest first, and the errors of places that can't be reached."""
    found: list[tuple[str, Place]] = []
    faults = []
    for place in places:
        try:
            found += [(backup, place) for backup in await list_complete(place)]
        except ApplianceError as fault:
            faults.append(f"{place.name}: {fault.detail}")
    return sorted(found, key=lambda each: each[0], reverse=True), faults


async def find_newest_trusted(
    places: Sequence[Place], folder: Path, trust: Trust, now: datetime | None = None
) -> NewestBackup:
    """The newest trusted backup, in the first of several places that has it. Raises CommandFailed if there is none."""
    now = now or datetime.now(UTC)
    found, faults = await list_backups(places)
    where = ", ".join(place.name for place in places) or "no place"
    if not found:
        raise CommandFailed(" ".join([f"There is no complete backup in {where}.", *faults]))
    skipped: list[str] = []
    looked_at: Counter[str] = Counter()
    for backup, place in found:
        if is_from_the_future(backup, now):
            skipped.append(f"The backup {backup} in {place.name} has a date in the future.")
        elif looked_at[place.name] < MAX_OPENED:
            looked_at[place.name] += 1
            try:
                await fetch_trusted_manifest(place, backup, folder, trust)
            except UntrustedBackup as fault:
                skipped.append(fault.detail)
            else:
                return NewestBackup(place, backup, tuple(skipped))
    raise CommandFailed(
        f"None of the newest {MAX_OPENED} backups in {where} can be trusted. If you know one that is yours, name it: "
        f"--backup NAME. {' '.join([*_shorten(skipped), *faults])}"
    )


def _shorten(skipped: Sequence[str]) -> list[str]:
    more = len(skipped) - MAX_LISTED
    return [*skipped[:MAX_LISTED], *([f"And {more} more."] if more > 0 else [])]
