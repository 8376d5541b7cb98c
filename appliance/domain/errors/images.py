"""Errors of images and albums: unknown, ended, not to be shown like that, or not yours."""

from appliance.domain.errors.base import ApplianceError


class UnknownImage(ApplianceError):
    """No image has this slug, and no tombstone remembers one that had it."""

    code = "not-found"
    title = "There is no such image"
    texts = ("No image has this link. Check it for typos; upper and lower case matter.",)


class GoneImage(ApplianceError):
    """The image has expired, was deleted, or never became one."""

    code = "gone"
    title = "This image is no longer available"
    texts = ("This image has expired, was deleted, or was never completely uploaded.",)
    restorable_until_s: int | None = None
    """Until when it can be restored, in unix seconds. Set only for the holder of its delete token."""
    viewed_s: int | None = None
    """When its one view was begun, likewise."""


class UnknownAlbum(ApplianceError):
    """No album has this slug, and none is remembered that had it."""

    code = "album-not-found"
    title = "There is no such album"
    texts = ("No album has this link. Check it for typos; upper and lower case matter.",)


class VersionMismatch(ApplianceError):
    """The image or album has changed since the version that the request is meant for."""

    code = "precondition-failed"
    title = "This has changed in the meantime"


class GoneAlbum(ApplianceError):
    """The album has expired, was deleted, or has lost its last image."""

    code = "album-gone"
    title = "This album is no longer available"
    texts = ("This album has expired, was deleted, or has no images left.",)
    restorable_until_s: int | None = None
    """Until when it can be restored, in unix seconds. Set only for the holder of its delete token."""


class TooManyImages(ApplianceError):
    """There are more images than an album may have."""

    code = "too-many-images"
    title = "There are too many images for an album"
    texts = (
        "An album can have up to {limit} images, but these are {actual}.",
        "These are too many images for an album.",
    )


class UnknownRendition(ApplianceError):
    """This host does not make renditions of that size or format."""

    code = "unknown-rendition"
    title = "There is no such size or format"
    texts = ("This image is not available in this size or format.",)


class InvalidImageRequest(ApplianceError):
    """The region, size, rotation, quality or format is invalid, or exceeds a limit."""

    code = "invalid-image-request"
    title = "The image request is not valid"


class UnsupportedImageRequest(ApplianceError):
    """The IIIF Image API allows the request, but this host does not support it."""

    code = "unsupported-image-request"
    title = "The image request is not supported"


class NotHereYet(ApplianceError):
    """The image is still being uploaded."""

    code = "not-here-yet"
    title = "This image is still being uploaded"
    texts = ("This image is still being uploaded. Try again in a moment.",)


class CannotResize(ApplianceError):
    """No rendition can be made. The original is kept and can be downloaded."""

    code = "cannot-resize"
    title = "This image can't be resized"
    texts = ("This image can't be resized. You can download the original.",)
    final = False
    """Whether another attempt would fail too: the pixels are at fault, not a deadline, memory or a worker."""
    is_too_slow = False
    """Whether the decode itself took all the time allowed, and not other work on the host."""


class MissingToken(ApplianceError):
    """The request changes something, but has no delete token."""

    code = "token-required"
    title = "A delete token is required"
    for_programmers = True
    texts = ("The delete token is missing. It is the last part of the manage link.",)


class WrongToken(ApplianceError):
    """The delete token belongs to another image or album."""

    code = "token-wrong"
    title = "The delete token is wrong"
    texts = ("The delete token is wrong. Copy it or the whole manage link again.",)


class Conflict(ApplianceError):
    """The image or album has changed in the meantime, or its state does not allow the request."""

    code = "conflict"
    title = "The image or album has changed"
    texts = ("The image or album has changed in the meantime. Reload it and try again.",)
