"""Passes: what a browser holds for a passphrase that was right, in a cookie of that image or album alone.

A pass is signed with the lock itself, whose random salt nobody outside knows. So it needs no row and no key of its own,
survives a restart, and ends when the passphrase is changed.
"""

import base64
import hmac

PASS_S = 86_400
"""How long a pass is good for: a day."""
MAX_CHARS = 100


def issue(slug: str, lock: str, now_s: float) -> str:
    """A pass for the lock of `slug`, good for `PASS_S`."""
    until_s = int(now_s) + PASS_S
    return f"{until_s}.{_signature(slug, lock, until_s)}"


def is_good(text: str, slug: str, lock: str, now_s: float) -> bool:
    """Whether the text is a pass for this lock of `slug`, and not over yet."""
    until, dot, signature = text[:MAX_CHARS].partition(".")
    if not dot or not signature.isascii() or not (until.isascii() and until.isdecimal() and len(until) <= 12):
        return False
    return int(until) > now_s and hmac.compare_digest(signature, _signature(slug, lock, int(until)))


def _signature(slug: str, lock: str, until_s: int) -> str:
    digest = hmac.digest(lock.encode(), f"pass:{slug}:{until_s}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
