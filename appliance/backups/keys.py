"""The keys of backups: what the configuration names, or what systemd handed over as a credential."""

import os
from pathlib import Path

from appliance.backups.signing import Trust, public_key
from appliance.config.model import Config


def identity_of(config: Config, given: Path | None = None) -> Path | None:
    """The file with the age key that opens backups; None where nothing names one."""
    return given or credential_or(config.backup.age_identity, "age_identity")


def signing_key_of(config: Config) -> Path | None:
    """The file with the private key that signs backups; None where nothing names one."""
    return credential_or(config.backup.signing_key, "backup_signing_key")


async def trust_of(config: Config) -> Trust:
    """What the settings say that our backups are. Raises CommandFailed for a signing key that can't be read."""
    signers, key = config.backup.signers, signing_key_of(config)
    if not signers and key is not None:
        signers = (await public_key(key),)
    return Trust(signers, encrypted=bool(config.backup.age_recipients))


def credential_or(named: Path | None, credential: str) -> Path | None:
    """The file that the configuration names, else the credential that systemd handed over, if it did."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if named is not None or not folder:
        return named
    path = Path(folder, credential)
    return path if path.exists() else None
