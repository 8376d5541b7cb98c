"""The keys of backups: files that the configuration names, or credentials from systemd."""

import os
from pathlib import Path

from appliance.backups.signing import Trust, public_key
from appliance.config.model import Config


def identity_of(config: Config, given: Path | None = None) -> Path | None:
    """The file with the age key that decrypts backups; None if none is configured."""
    return given or credential_or(config.backup.age_identity, "age_identity")


def signing_key_of(config: Config) -> Path | None:
    """The file with the private key that signs backups; None if none is configured."""
    return credential_or(config.backup.signing_key, "backup_signing_key")


async def trust_of(config: Config) -> Trust:
    """Which backups the settings trust. Raises CommandFailed if the signing key can't be read."""
    signers, key = config.backup.signers, signing_key_of(config)
    if not signers and key is not None:
        signers = (await public_key(key),)
    return Trust(signers, encrypted=bool(config.backup.age_recipients))


def credential_or(named: Path | None, credential: str) -> Path | None:
    """The file that the configuration names, or else systemd's credential of that name, if there is one."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if named is not None or not folder:
        return named
    path = Path(folder, credential)
    return path if path.exists() else None
