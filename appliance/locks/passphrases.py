"""Hashes of passphrases, which are the locks of images and albums.

The hash is argon2id with 19 MiB and two passes, the first choice of OWASP's password storage cheat sheet (2025).
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024
_HASHER = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)


def lock_with(passphrase: str) -> str:
    """A new lock for a checked passphrase. Takes `MEMORY_KIB` and some ten milliseconds."""
    return _HASHER.hash(passphrase)


def opens(passphrase: str, lock: str) -> bool:
    """Whether the checked passphrase opens the lock, which takes as long for every wrong one."""
    try:
        return _HASHER.verify(lock, passphrase)
    except (VerificationError, InvalidHashError):
        return False
