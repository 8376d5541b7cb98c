"""Signatures of manifests, with OpenSSH: write access to a place is not enough to forge a backup.

Encryption does not prevent that, because the keys that encrypt are public. A signed manifest has the sha256 of each
part and the time of the backup, so no part can be replaced, and no old backup passes for a newer one.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.backups.programs import find_program, run_program
from appliance.domain.errors import CommandFailed

SIGNATURE = "manifest.json.sig"
_NAMESPACE = "appliance-backup"
"""The purpose of a signature: one that the same key made for anything else is not accepted."""
_SIGNER = "appliance"


@dataclass(frozen=True, slots=True)
class Trust:
    """What a backup must be before any of it is opened: signed by a key of `signers`, and encrypted.

    `signers` are public keys of OpenSSH. Without any, signatures are not looked at.
    """

    signers: tuple[str, ...] = ()
    encrypted: bool = False


async def sign(manifest: Path, key: Path) -> Path:
    """Write the signature next to the manifest. `key` is a private key of OpenSSH without a passphrase.

    Raises CommandFailed.
    """
    program = _program()
    command = [program, "-q", "-Y", "sign", "-n", _NAMESPACE, "-f", str(key), str(manifest)]
    await run_program(command, f"Signing with {key}")
    return manifest.with_name(SIGNATURE)


async def public_key(key: Path) -> str:
    """The public half of a private key, in one line. Raises CommandFailed."""
    printed = await run_program([_program(), "-y", "-f", str(key)], f"Reading the public key of {key}")
    return (printed or b"").decode(errors="replace").strip()


async def require_signed(manifest: Path, signature: Path, signers: Sequence[str]) -> None:
    """Raises CommandFailed unless one of `signers` signed the manifest as it is."""
    with tempfile.TemporaryDirectory(dir=manifest.parent) as folder:
        allowed = Path(folder, "signers")
        allowed.write_text("".join(f'{_SIGNER} namespaces="{_NAMESPACE}" {signer}\n' for signer in signers))
        command = [_program(), "-q", "-Y", "verify", "-n", _NAMESPACE, "-I", _SIGNER]
        command += ["-f", str(allowed), "-s", str(signature)]
        try:
            await run_program(command, "Checking the signature", given=manifest)
        except CommandFailed as fault:
            raise CommandFailed(
                f"The manifest is not signed by a key in backup.signers, or was changed afterwards. Nothing in this "
                f"backup was opened. ({fault.detail})"
            ) from fault


def _program() -> str:
    return find_program("ssh-keygen", "openssh-client")
