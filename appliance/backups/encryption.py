"""Encryption with age. The keys that decrypt need not be on this machine; several recipients allow a change of keys."""

from collections.abc import Sequence
from pathlib import Path

from appliance.backups.manifest import ENCRYPTED
from appliance.backups.programs import find_program, run_program
from appliance.domain.errors import CommandFailed


async def encrypt(plain: Path, recipients: Sequence[str]) -> Path:
    """Encrypt a file to its own name with `.age`, and remove the plain file. Raises CommandFailed."""
    encrypted = plain.with_name(plain.name + ENCRYPTED)
    named = [word for recipient in recipients for word in ("--recipient", recipient)]
    program = find_program("age", "age")
    await run_program([program, "--encrypt", *named, "--output", str(encrypted), str(plain)], "Encrypting with age")
    plain.unlink()
    return encrypted


async def decrypt(encrypted: Path, identity: Path | None) -> Path:
    """Decrypt a file to its name without `.age`, and remove the encrypted file. Raises CommandFailed."""
    if identity is None:
        raise CommandFailed(
            "The backup is encrypted. Name the file with your age key: --identity FILE, backup.age_identity, or the "
            "credential age_identity."
        )
    plain = encrypted.with_name(encrypted.name.removesuffix(ENCRYPTED))
    program = find_program("age", "age")
    await run_program(
        [program, "--decrypt", "--identity", str(identity), "--output", str(plain), str(encrypted)],
        "Decrypting with age",
    )
    encrypted.unlink()
    return plain
