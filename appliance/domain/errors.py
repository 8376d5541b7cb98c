"""Everything that can go wrong by name: a stable code, text for a person, and the limit and figure that was passed.

An error knows what happened, never an HTTP status; `http/problems.py` holds the one table that maps codes to statuses.
Its text is here once, for the API, the log and the pages: pages translate it, with the figures in their own format.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from appliance.domain.byte_sizes import size

DAY_S = 86_400


def figures_of(
    limit: int | None, actual: int | None, number: Callable[[int], str], size: Callable[[int], str]
) -> Mapping[str, str]:
    """What the texts can name: `limit` and `actual` as numbers, as bytes (`limit_size`) and in days (`limit_days`)."""
    known: dict[str, str] = {}
    for name, value in (("limit", limit), ("actual", actual)):
        if value is not None:
            known |= {name: number(value), f"{name}_size": size(value), f"{name}_days": number(value // DAY_S)}
    return known


def filled(texts: Iterable[str], figures: Mapping[str, str]) -> str | None:
    """The first of the texts whose figures are all known, with them; None if there is none."""
    for text in texts:
        if set(re.findall(r"\{(\w+)\}", text)) <= figures.keys():
            return text.format_map(figures)
    return None


class ApplianceError(Exception):
    """Base of all named errors. `detail` is written for the person who made the request; `code` is stable.

    `texts` are the details that a class has itself, the most exact first. Those that only programs meet have none.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    texts: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        detail: str = "",
        *,
        limit: int | None = None,
        actual: int | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.detail = detail or filled(self.texts, figures_of(limit, actual, "{:,}".format, size)) or f"{self.title}."
        super().__init__(self.detail)
        self.limit = limit
        self.actual = actual
        self.retry_after_s = retry_after_s


# --- what was sent can't be taken ---------------------------------------------------------------------------------


class MalformedRequest(ApplianceError):
    """The request can't be read as what its method and path ask for."""

    code = "malformed-request"
    title = "The request can't be read"
    texts = (
        "The form has {actual} fields, but at most {limit} are allowed. Send fewer at a time.",
        "The request can't be read. Reload the page and try again.",
    )


class MissingFile(ApplianceError):
    """A form came without a `file` field, or a request without a body."""

    code = "missing-file"
    title = "No file was sent"
    texts = ("No file was received. Choose an image first.",)


class EmptyUpload(ApplianceError):
    """The file has no bytes."""

    code = "empty-upload"
    title = "The file is empty"
    texts = ("The file is empty. Choose another file.",)


class InvalidField(ApplianceError):
    """A field of the request has a value outside of what is allowed."""

    code = "invalid-field"
    title = "A field has an invalid value"
    texts = (
        "A text is too long: it has {actual} characters, but at most {limit} are allowed.",
        "A field has an invalid value. Check what you entered.",
    )


class InvalidExpiry(ApplianceError):
    """An expiry that is not a time, or outside of the limits (seconds)."""

    code = "invalid-expiry"
    title = "The expiry is not valid"
    texts = (
        "An image can be kept for up to {limit_days} days.",
        "The expiry is not valid. Choose another one.",
    )


class TooLarge(ApplianceError):
    """The upload has more bytes than this host or its store takes."""

    code = "too-large"
    title = "The file is too large"
    texts = (
        "The file is too large ({actual_size} or more). Up to {limit_size} is allowed.",
        "The file is too large. Up to {limit_size} is allowed.",
        "The file is too large.",
    )


class UnsupportedFormat(ApplianceError):
    """A known kind of file that is not among the formats taken."""

    code = "unsupported-format"
    title = "This format is not supported"
    texts = ("This file isn't an image in a supported format. Save it as JPEG or PNG and try again.",)


class NotAnImage(ApplianceError):
    """The bytes are no image that anything here knows."""

    code = "not-an-image"
    title = "This is not an image"
    texts = ("This file isn't an image in a supported format. Save it as JPEG or PNG and try again.",)


class UnreadableImage(ApplianceError):
    """The format is taken, but the header can't be read: truncated, damaged or lying."""

    code = "unreadable-image"
    title = "The image is damaged"
    texts = ("This image can't be read. The file is damaged or incomplete.",)


class IncompleteUpload(ApplianceError):
    """The body ended before its announced length."""

    code = "incomplete-upload"
    title = "The upload was interrupted"
    texts = ("The connection was lost before the upload was complete. Try again.",)


class SlowUpload(ApplianceError):
    """No byte came within the time limit (seconds)."""

    code = "upload-timeout"
    title = "The upload was too slow"
    texts = (
        "Almost no data arrived for {limit} seconds. Check your connection and try again.",
        "The connection was too slow. Check your connection and try again.",
    )


class RemoteUrlRefused(ApplianceError):
    """A client asked this host to fetch a URL, which it never does."""

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


class IdempotencyKeyReused(ApplianceError):
    """The same Idempotency-Key came with other bytes or fields."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for another request"


class UnsupportedTusVersion(ApplianceError):
    """A resumable upload's request names no version of tus, or another than ours."""

    code = "unsupported-tus-version"
    title = "This tus version is not supported"


class NotTusBody(ApplianceError):
    """Bytes of a resumable upload came under another media type than the one that tus asks for."""

    code = "wrong-content-type"
    title = "The Content-Type is wrong"


class EncodedBody(ApplianceError):
    """An upload came compressed: its bytes would not be those that were announced, and few of them may become many."""

    code = "encoded-body"
    title = "The upload is compressed"


class ChecksumMismatch(ApplianceError):
    """The bytes of a request are not those that its checksum was made of; none of them was kept."""

    code = "checksum-mismatch"
    title = "The checksum doesn't match"
    texts = ("The file was damaged on the way. Upload it again.",)


class OffsetMismatch(ApplianceError):
    """A resumable upload goes on at another byte (limit) than the one that was named (actual)."""

    code = "offset-mismatch"
    title = "The upload is out of sync"
    texts = ("The upload is out of sync. Try again.",)


class PartsUnfinished(ApplianceError):
    """An upload can't be put together from parts that are not all there and whole."""

    code = "parts-unfinished"
    title = "Some parts are missing"


# --- what was asked for is not there, or not yours ----------------------------------------------------------------


class UnknownImage(ApplianceError):
    """No image has, or is remembered to have had, this slug."""

    code = "not-found"
    title = "There is no such image"
    texts = ("No image has this link. Check it for typos; upper and lower case matter.",)


class GoneImage(ApplianceError):
    """The image expired or was deleted."""

    code = "gone"
    title = "This image is no longer available"
    texts = ("This image has expired, was deleted, or was never completely uploaded.",)


class UnknownAlbum(ApplianceError):
    """No album has, or is remembered to have had, this slug."""

    code = "album-not-found"
    title = "There is no such album"
    texts = ("No album has this link. Check it for typos; upper and lower case matter.",)


class GoneAlbum(ApplianceError):
    """The album expired, was deleted, or lost its last image."""

    code = "album-gone"
    title = "This album is no longer available"
    texts = ("This album has expired, was deleted, or has no images left.",)


class TooManyImages(ApplianceError):
    """More images than an album may hold."""

    code = "too-many-images"
    title = "There are too many images for an album"
    texts = (
        "An album can have up to {limit} images, but these are {actual}.",
        "These are too many images for an album.",
    )


class UnknownRendition(ApplianceError):
    """A size or format that this host does not make."""

    code = "unknown-rendition"
    title = "There is no such size or format"
    texts = ("This image is not available in this size or format.",)


class InvalidImageRequest(ApplianceError):
    """A region, size, rotation, quality or format that no image of this host could be asked for, or beyond a limit."""

    code = "invalid-image-request"
    title = "The image request is not valid"


class UnsupportedImageRequest(ApplianceError):
    """What the IIIF Image API knows, but this host does not do."""

    code = "unsupported-image-request"
    title = "The image request is not supported"


class NotHereYet(ApplianceError):
    """The picture is still being uploaded."""

    code = "not-here-yet"
    title = "This image is still being uploaded"
    texts = ("This image is still being uploaded. Try again in a moment.",)


class UnknownUpload(ApplianceError):
    """No resumable upload has this id, or it ended long ago."""

    code = "upload-not-found"
    title = "There is no such upload"
    texts = ("This upload no longer exists. Start a new one.",)


class GoneUpload(ApplianceError):
    """The resumable upload was given up, by its client or because nothing came for too long."""

    code = "upload-gone"
    title = "This upload was cancelled or has expired"
    texts = ("This upload was cancelled or has expired. Start a new one.",)


class FinalUpload(ApplianceError):
    """Bytes were sent to an upload that is put together from parts."""

    code = "upload-is-final"
    title = "This upload is assembled from parts"


class CannotResize(ApplianceError):
    """The original is kept and downloadable, but no rendition can be made of it."""

    code = "cannot-resize"
    title = "This image can't be resized"
    texts = ("This image can't be resized. You can download the original.",)
    final = False
    """Whether another try can't end otherwise: the pixels are at fault, not a deadline, memory or a worker's death."""
    is_too_slow = False
    """Whether it was the decode itself that took all the time allowed, and not other work on the host."""


class NoSuchPage(ApplianceError):
    """Nothing is at this address."""

    code = "no-such-page"
    title = "Page not found"
    texts = ("There is nothing at this address. Check it for typos.",)


class FormatNotOffered(ApplianceError):
    """The answer can't be given in the format that was asked for."""

    code = "format-not-offered"
    title = "This format is not available"
    texts = ("The response is not available in this format.",)


class MethodNotAllowed(ApplianceError):
    """The address is there, but not for this method."""

    code = "method-not-allowed"
    title = "This is not possible here"
    texts = ("This is not possible at this address.",)


class RangeNotSatisfiable(ApplianceError):
    """A range that starts behind the last byte."""

    code = "range-not-satisfiable"
    title = "The range is not in the file"
    texts = ("The file ends before the requested range.",)


class MissingToken(ApplianceError):
    """A change was asked for without the delete token."""

    code = "token-required"
    title = "A delete token is required"
    texts = ("The delete token is missing. It is the last part of the manage link.",)


class WrongToken(ApplianceError):
    """The delete token is not this image's."""

    code = "token-wrong"
    title = "The delete token is wrong"
    texts = ("The delete token is wrong. Copy it or the whole manage link again.",)


class Conflict(ApplianceError):
    """The image changed meanwhile, or is in a state that does not allow what was asked."""

    code = "conflict"
    title = "The image or album has changed"
    texts = ("The image or album has changed in the meantime. Reload it and try again.",)


# --- this host can't just now -------------------------------------------------------------------------------------


class DiskFull(ApplianceError):
    """There is no room for so many bytes (actual). What is free is never said: it would be the figure to aim at."""

    code = "disk-full"
    title = "There is not enough disk space"
    texts = (
        "There is not enough disk space: {actual_size} is needed. Try again later.",
        "There is not enough disk space. Try again later.",
    )


class Busy(ApplianceError):
    """The queue before the workers is full, or as many uploads as are taken at once are under way."""

    code = "busy"
    title = "The server is busy"
    texts = ("The server is busy. Try again in a moment.",)


class UploadPaused(ApplianceError):
    """There is no room for more of a resumable upload just now; what came of it is kept."""

    code = "upload-paused"
    title = "The upload is waiting for disk space"
    texts = ("There is not enough disk space to continue. What was uploaded is kept; try again later.",)


class UploadLocked(ApplianceError):
    """Another request works on the same resumable upload, or took it over."""

    code = "upload-locked"
    title = "Another request is using this upload"
    texts = ("Another tab or connection is using this upload. Try again in a moment.",)


class StoreUnavailable(ApplianceError):
    """The object store does not answer, or answers with a fault."""

    code = "store-unavailable"
    title = "The object store is not responding"
    texts = ("The image store is not responding. Try again in a moment.",)


class ObjectMissing(ApplianceError):
    """The object store holds no object under this key. A fault while a row lives; fine when deleting."""

    code = "object-missing"
    title = "The original is missing from the store"
    texts = ("The image file can't be found. Try again later.",)


class Stopping(ApplianceError):
    """The server is shutting down: it takes no new work, and gives up what can't end in time."""

    code = "stopping"
    title = "The server is restarting"
    texts = ("The server is restarting. Try again in a moment.",)

    def __init__(
        self,
        detail: str = "",
        *,
        limit: int | None = None,
        actual: int | None = None,
        retry_after_s: int | None = 2,
    ) -> None:
        super().__init__(detail, limit=limit, actual=actual, retry_after_s=retry_after_s)


class Draining(ApplianceError):
    """The sysadmin has taken the host out of service for uploads; views go on."""

    code = "draining"
    title = "Uploads are paused"
    texts = ("Uploads are paused for maintenance. Existing images stay available. Try again later.",)


class InternalError(ApplianceError):
    """Something that nobody foresaw; the log has it whole."""

    code = "internal-error"
    title = "Something went wrong"
    texts = ("Something went wrong. The error was logged. Try again.",)


class ConfigError(ApplianceError):
    """The configuration has mistakes; `detail` has a line for each."""

    code = "invalid-configuration"
    title = "The configuration has errors"


class DataDirectoryLocked(ApplianceError):
    """Another process owns the data directory."""

    code = "data-directory-locked"
    title = "The data directory is in use"


class UnfitInstallation(ApplianceError):
    """A part that the server needs is absent or too old."""

    code = "unfit-installation"
    title = "The installation is incomplete or too old"


class CatalogueUnavailable(ApplianceError):
    """The catalogue's file can't be opened, read or written."""

    code = "catalogue-unavailable"
    title = "The catalogue is unavailable"
    texts = ("The server can't do this right now. Try again in a moment.",)


class CatalogueDamaged(ApplianceError):
    """The catalogue's file is no database, or a broken one."""

    code = "catalogue-damaged"
    title = "The catalogue is damaged"


class CatalogueTooNew(ApplianceError):
    """The catalogue was written by a newer release than this one."""

    code = "catalogue-too-new"
    title = "The catalogue is newer than this release"


class ClockJumped(ApplianceError):
    """The wall clock moved in a way that makes expiring unsafe."""

    code = "clock-jumped"
    title = "The clock has jumped; nothing was expired"


class PurgeFailed(ApplianceError):
    """A shared cache has not confirmed that it forgot what it was told to forget."""

    code = "purge-failed"
    title = "A shared cache can't be purged"


class ServerNotRunning(ApplianceError):
    """No server listens on the control socket of the data directory."""

    code = "server-not-running"
    title = "The server is not running"


class CommandFailed(ApplianceError):
    """A command that a person gave on the terminal could not be carried out."""

    code = "command-failed"
    title = "The command failed"
