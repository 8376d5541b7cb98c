"""Encryption by age, to recipients who can be strangers to this machine; several at once, so that keys can change."""

from collections.abc import Sequence
from pathlib import Path

from appliance.backups.manifest import ENCRYPTED
from appliance.backups.programs import found, run
from appliance.domain.errors import CommandFailed


async def encrypt(plain: Path, recipients: Sequence[str]) -> Path:
    """The encrypted file beside the plain one, which is gone afterwards. Raises CommandFailed."""
    encrypted = plain.with_name(plain.name + ENCRYPTED)
    named = [word for recipient in recipients for word in ("--recipient", recipient)]
    program = found("age", "age")
    await run([program, "--encrypt", *named, "--output", str(encrypted), str(plain)], "Encrypting with age")
    plain.unlink()
    return encrypted


async def decrypt(encrypted: Path, identity: Path | None) -> Path:
    """The plain file beside the encrypted one, which is gone afterwards. Raises CommandFailed."""
    if identity is None:
        raise CommandFailed(
            "The backup is encrypted. Name the file with your age key: --identity FILE, backup.age_identity, or the "
            "credential age_identity."
        )
    plain = encrypted.with_name(encrypted.name.removesuffix(ENCRYPTED))
    program = found("age", "age")
    await run(
        [program, "--decrypt", "--identity", str(identity), "--output", str(plain), str(encrypted)],
        "Decrypting with age",
    )
    encrypted.unlink()
    return plain
