"""Errors of what a passphrase protects, or what may be viewed once."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.errors.base import ApplianceError


class Locked(ApplianceError):
    """The image or album is shown only to those who know its passphrase, or who spend its one view.

    `path` is its page, where a person is asked; `has_passphrase` says whether a passphrase is asked for, and
    `is_one_view` whether it may be viewed once. Without either, only its delete token opens it. The `challenge` is one
    that the next try needs a solution of.
    """

    code = "locked"
    title = "This is locked"
    texts = ("This is locked. Open its page and enter the passphrase.",)

    def __init__(
        self,
        path: str = "",
        *,
        has_passphrase: bool = True,
        is_one_view: bool = False,
        challenge: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.path = path
        self.has_passphrase = has_passphrase
        self.is_one_view = is_one_view
        self.challenge = challenge


class WrongPassphrase(ApplianceError):
    """The passphrase doesn't open the lock."""

    code = "passphrase-wrong"
    title = "The passphrase is wrong"
    texts = ("The passphrase is wrong. Upper and lower case matter.",)


class BeingViewed(ApplianceError):
    """Somebody else has begun the one view of the image."""

    code = "being-viewed"
    title = "Somebody is viewing this image"
    texts = ("Somebody is viewing this image at the moment. It can be viewed once.",)


class AllLocked(ApplianceError):
    """Every image of the album is locked, so there is nothing to download together."""

    code = "all-locked"
    title = "Every image of this album is locked"
    texts = ("Every image of this album is locked. Open each one with its own passphrase.",)
