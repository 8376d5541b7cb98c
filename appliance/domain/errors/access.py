"""Errors of who may do what, and how much: access keys, their scopes and their limits."""

from collections.abc import Mapping
from datetime import UTC, datetime

from appliance.domain.errors.base import ApplianceError, fill_in


class KeyRequired(ApplianceError):
    """Uploads need an access key here, and the request has none."""

    code = "key-required"
    title = "An access key is required"
    texts = ("You need an access key to upload here. Ask the people who run this site for one.",)


class SignInRequired(ApplianceError):
    """Only people whom the proxy in front has signed in may upload here."""

    code = "sign-in-required"
    title = "You are not signed in"
    texts = ("You need to be signed in to upload here. Sign in and try again.",)


class KeyInvalid(ApplianceError):
    """The access key has a typo or is unknown. It never counts as no key; nor does one that has ended."""

    code = "key-invalid"
    title = "The access key is not valid"
    texts = ("The access key is not valid. Copy the whole key again.",)


class KeyExpired(KeyInvalid):
    """The access key was valid until its expiry."""

    code = "key-expired"
    title = "The access key has expired"
    texts = ("The access key has expired. Ask the people who run this site for a new one.",)


class KeyRevoked(KeyInvalid):
    """The access key was revoked."""

    code = "key-revoked"
    title = "The access key was revoked"
    texts = ("The access key was revoked. Ask the people who run this site for a new one.",)


class KeyRotated(KeyInvalid):
    """The key has a new secret, and this one was its last."""

    code = "key-rotated"
    title = "The access key was replaced"
    texts = ("The access key was replaced by a new one. Ask the people who run this site for it.",)


class KeyScope(ApplianceError):
    """The access key is valid, but not for this."""

    code = "key-scope"
    title = "The access key doesn't allow this"
    texts = ("The access key doesn't allow this.",)


class KeyUsedUp(ApplianceError):
    """The key's images on this host have reached its limit in all (images or bytes); erasing some makes room."""

    code = "key-used-up"
    title = "The limit of the access key is reached"
    texts: tuple[str, ...] = ("What was uploaded with this access key has reached its limit. Delete some of it first.",)


class KeyImagesUsedUp(KeyUsedUp):
    """As many images are on this host as the key allows."""

    texts = (
        "As many images are on this host as this access key allows: {limit}. Delete some of them first.",
        *KeyUsedUp.texts,
    )


class KeyBytesUsedUp(KeyUsedUp):
    """The image doesn't fit into the bytes that the key allows on this host."""

    texts = (
        "This access key allows {limit_size} on this host. With this image it would be {actual_size}. "
        "Delete some of your images first.",
        *KeyUsedUp.texts,
    )


class UnknownInvite(ApplianceError):
    """No invite has this token or id."""

    code = "unknown-invite"
    title = "This guest link doesn't exist"
    texts = ("This guest link is incomplete, or doesn't exist any more. Ask for a new one.",)


class GoneInvite(ApplianceError):
    """The invite was valid until its end."""

    code = "invite-gone"
    title = "This guest link has ended"
    texts = ("The time for adding images by this guest link is over. Ask for a new one.",)


class ClosedInvite(GoneInvite):
    """The owner of the album has closed the invite."""

    texts = ("The owner of the album has closed this guest link.",)


class EndedAlbumInvite(GoneInvite):
    """The invite's album has ended."""

    texts = ("The album of this guest link has expired or was deleted.",)


class EndedKeyInvite(GoneInvite):
    """The access key that the invite's album was created with has ended, is banned, or may not upload."""

    texts = ("The owner of the album may no longer upload here, so guests can’t add images to it.",)


class InviteFull(ApplianceError):
    """As many images or bytes were added as the invite, or its album, allows."""

    code = "invite-full"
    title = "No more images can be added"
    texts: tuple[str, ...] = ("Guests have added as much by this link as it allows.",)


class InviteImagesFull(InviteFull):
    """As many images were added as the invite allows."""

    texts = ("Guests have added as many images by this link as it allows: {limit}.", *InviteFull.texts)


class InviteBytesFull(InviteFull):
    """The image doesn't fit into the bytes that the invite allows."""

    texts = (
        "This link allows {limit_size} from all guests together. With this image it would be {actual_size}.",
        *InviteFull.texts,
    )


class InviteKeyFull(InviteFull):
    """The access key that the invite's album was created with has reached what it may have on the host."""

    texts = ("The owner of the album has as many images on this host as they may.",)


class AlbumFull(InviteFull):
    """The invite's album has as many images as an album may have."""

    texts = ("The album is full: it can have up to {limit} images.", "The album is full.")


class UnknownKey(ApplianceError):
    """No access key has this name or id."""

    code = "key-unknown"
    title = "There is no such access key"


class Banned(ApplianceError):
    """The operator has banned the client until `until_s` (unix seconds), or for good. `reason` may be empty."""

    code = "banned"
    title = "You are banned"
    texts = (
        "Your network or access key is banned until {until}. Reason: {reason}",
        "Your network or access key is banned until {until}.",
        "Your network or access key is banned. Reason: {reason}",
        "Your network or access key is banned.",
    )
    for_programmers = True

    def __init__(self, reason: str = "", until_s: int | None = None) -> None:
        until = "" if until_s is None else f"{datetime.fromtimestamp(until_s, UTC):%Y-%m-%d %H:%M} UTC"
        super().__init__(fill_in(self.texts, ban_figures(reason, until)) or "")
        self.reason = reason
        self.until_s = until_s


def ban_figures(reason: str, until: str) -> Mapping[str, str]:
    """Values for the texts of a ban; what is empty is unknown."""
    return {name: value for name, value in (("reason", reason), ("until", until)) if value}


class UnknownBan(ApplianceError):
    """Nobody of this name is banned."""

    code = "ban-unknown"
    title = "There is no such ban"
