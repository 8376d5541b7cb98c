"""Errors of an upload: its file, its options, and the requests that it consists of."""

from appliance.domain.errors.base import ApplianceError


class MissingFile(ApplianceError):
    """A form has no `file` field, or a request has no body."""

    code = "missing-file"
    title = "No file was sent"
    for_programmers = True
    texts = ("No file was received. Choose an image first.",)


class EmptyUpload(ApplianceError):
    """The file has no bytes."""

    code = "empty-upload"
    title = "The file is empty"
    texts = ("The file is empty. Choose another file.",)


class InvalidExpiry(ApplianceError):
    """The expiry is not a duration or time, or is outside the limits (seconds)."""

    code = "invalid-expiry"
    title = "The expiry is not valid"
    for_programmers = True
    texts: tuple[str, ...] = (
        "An image can be kept for up to {limit_days} days.",
        "An image can be kept for up to {limit_hours} hours.",
        "An image can be kept for up to {limit_minutes} minutes.",
        "The expiry is not valid. Choose another one.",
    )


class InvalidGuestLinkExpiry(InvalidExpiry):
    """A guest link can't be open for so long, or no time at all."""

    for_programmers = False
    texts = (
        "A guest link can be open for 1 second to {limit_days} days.",
        "A guest link can't be open for that time.",
    )


class TooLarge(ApplianceError):
    """The upload has more bytes than this host or its store accepts."""

    code = "too-large"
    title = "The file is too large"
    texts = (
        "The file is too large ({actual_size} or more). Up to {limit_size} is allowed.",
        "The file is too large. Up to {limit_size} is allowed.",
        "The file is too large.",
    )


class UnsupportedFormat(ApplianceError):
    """The file is of a known kind that is not an accepted format."""

    code = "unsupported-format"
    title = "This format is not supported"
    texts = ("This file isn't an image in a supported format. Save it as JPEG or PNG and try again.",)


class NotAnImage(ApplianceError):
    """The bytes are not an image of any known format."""

    code = "not-an-image"
    title = "This is not an image"
    texts = ("This file isn't an image in a supported format. Save it as JPEG or PNG and try again.",)


class UnreadableImage(ApplianceError):
    """The format is accepted, but the header can't be read: it is truncated, damaged or false."""

    code = "unreadable-image"
    title = "The image is damaged"
    texts = ("This image can't be read. The file is damaged or incomplete.",)


class IncompleteUpload(ApplianceError):
    """The body ended before its declared length."""

    code = "incomplete-upload"
    title = "The upload was interrupted"
    texts = ("The connection was lost before the upload was complete. Try again.",)


class SlowUpload(ApplianceError):
    """Too few bytes arrived within the time limit (seconds)."""

    code = "upload-timeout"
    title = "The upload was too slow"
    texts = (
        "Almost no data arrived for {limit} seconds. Check your connection and try again.",
        "The connection was too slow. Check your connection and try again.",
    )


class EncodedBody(ApplianceError):
    """The upload has a Content-Encoding: it would not have the declared length, and could grow without limit."""

    code = "encoded-body"
    title = "The upload is compressed"


class DigestMismatch(ApplianceError):
    """The content of the request has another digest than its Content-Digest says. Nothing of it was kept."""

    code = "digest-mismatch"
    title = "The digest doesn't match"
    texts = ("The file was damaged on the way. Upload it again.",)


class PartialUpload(ApplianceError):
    """The request brings a part of a file, which would be stored as if it were the whole."""

    code = "partial-upload"
    title = "Only a part of the file was sent"


class RemoteUrlRefused(ApplianceError):
    """The client asked this host to fetch a URL, which it never does."""

    code = "remote-url-refused"
    title = "Uploading by URL is not supported"
    texts = ("Images can't be uploaded by URL. Download the image and upload the file.",)


class IdempotencyKeyInvalid(ApplianceError):
    """The Idempotency-Key has too few or too many characters."""

    code = "invalid-idempotency-key"
    title = "The Idempotency-Key is not valid"


class IdempotencyKeyInUse(ApplianceError):
    """A request with the same Idempotency-Key is still running."""

    code = "idempotency-key-in-use"
    title = "A request with this Idempotency-Key is still running"
    texts = ("This upload is still running. Try again in a moment.",)


class IdempotencyKeyReused(ApplianceError):
    """The Idempotency-Key was used before with other bytes or fields."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for another request"
