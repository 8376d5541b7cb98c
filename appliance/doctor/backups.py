"""The doctor's check of backups: where they go, and who could read or forge them there."""

from collections.abc import AsyncIterator

from appliance.backups.keys import signing_key_of
from appliance.config.model import Config
from appliance.doctor.findings import Finding, ok, warn


async def backups(config: Config) -> AsyncIterator[Finding]:
    """Looks at the settings alone: `appliance verify` opens the backups in their places."""
    backup, signs = config.backup, signing_key_of(config) is not None
    places = [
        *(["the store"] if backup.in_store else []),
        *([str(backup.directory)] if backup.directory else []),
        *([backup.remote] if backup.remote else []),
    ]
    if not places:
        yield warn("backups", "no place is configured: set backup.in_store, backup.directory or backup.remote")
        return
    encrypted = "encrypted" if backup.age_recipients else "not encrypted"
    words = f"they go to {', '.join(places)}; {encrypted}, {'signed' if signs else 'not signed'}"
    advice = []
    if not backup.age_recipients:
        advice.append("anyone who can read a place can read every row (set backup.age_recipients)")
    if not signs and backup.signers:
        advice.append("restore and verify refuse them because backup.signers is set but backup.signing_key is not")
    elif not signs:
        advice.append("anyone who can write to a place can forge a backup (set backup.signing_key)")
    yield warn("backups", f"{words}: {'; '.join(advice)}") if advice else ok("backups", words)
