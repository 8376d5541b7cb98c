"""Everything that can go wrong by name: a stable code, words for a person, and the limit and figure that was passed.

An error knows what happened, never an HTTP status; `http/problems.py` holds the one table that maps codes to statuses.
"""

from typing import ClassVar


class ApplianceError(Exception):
    """Base of all named errors. `detail` is written for the person who made the request; `code` is stable."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        limit: int | None = None,
        actual: int | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.limit = limit
        self.actual = actual
        self.retry_after_s = retry_after_s


# --- what was sent can't be taken ---------------------------------------------------------------------------------


class MalformedRequest(ApplianceError):
    """The request can't be read as what its method and path ask for."""

    code = "malformed-request"
    title = "The request can't be read"


class MissingFile(ApplianceError):
    """A form came without a `file` field, or a request without a body."""

    code = "missing-file"
    title = "No file was sent"


class EmptyUpload(ApplianceError):
    """The file has no bytes."""

    code = "empty-upload"
    title = "The file is empty"


class InvalidField(ApplianceError):
    """A field of the request has a value outside of what is allowed."""

    code = "invalid-field"
    title = "A field has a value that is not allowed"


class InvalidExpiry(ApplianceError):
    """An expiry that is not a time, or outside of the limits (seconds)."""

    code = "invalid-expiry"
    title = "The expiry is not allowed"


class TooLarge(ApplianceError):
    """The upload has more bytes than this host or its store takes."""

    code = "too-large"
    title = "The file is too large"


class UnsupportedFormat(ApplianceError):
    """A known kind of file that is not among the formats taken."""

    code = "unsupported-format"
    title = "This format is not taken"


class NotAnImage(ApplianceError):
    """The bytes are no image that anything here knows."""

    code = "not-an-image"
    title = "This is not an image"


class UnreadableImage(ApplianceError):
    """The format is taken, but the header can't be read: truncated, damaged or lying."""

    code = "unreadable-image"
    title = "The image is damaged"


class IncompleteUpload(ApplianceError):
    """The body ended before its announced length."""

    code = "incomplete-upload"
    title = "The upload broke off"


class SlowUpload(ApplianceError):
    """No byte came within the time limit (seconds)."""

    code = "upload-timeout"
    title = "The upload stood still for too long"


class RemoteUrlRefused(ApplianceError):
    """A client asked this host to fetch a URL, which it never does."""

    code = "remote-url-refused"
    title = "URLs are not fetched"


class IdempotencyKeyInvalid(ApplianceError):
    """The Idempotency-Key has too few or too many characters."""

    code = "invalid-idempotency-key"
    title = "The Idempotency-Key is not allowed"


class IdempotencyKeyInUse(ApplianceError):
    """A request with the same Idempotency-Key is still running."""

    code = "idempotency-key-in-use"
    title = "A request with this Idempotency-Key is still running"


class IdempotencyKeyReused(ApplianceError):
    """The same Idempotency-Key came with other bytes or fields."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for something else"


class UnsupportedTusVersion(ApplianceError):
    """A resumable upload's request names no version of tus, or another than ours."""

    code = "unsupported-tus-version"
    title = "This version of tus is not spoken here"


class NotTusBody(ApplianceError):
    """Bytes of a resumable upload came under another media type than the one that tus asks for."""

    code = "wrong-content-type"
    title = "The bytes have the wrong Content-Type"


class EncodedBody(ApplianceError):
    """An upload came compressed: its bytes would not be those that were announced, and few of them may become many."""

    code = "encoded-body"
    title = "The bytes came compressed"


class ChecksumMismatch(ApplianceError):
    """The bytes of a request are not those that its checksum was made of; none of them was kept."""

    code = "checksum-mismatch"
    title = "The bytes changed on their way"


class OffsetMismatch(ApplianceError):
    """A resumable upload goes on at another byte (limit) than the one that was named (actual)."""

    code = "offset-mismatch"
    title = "The upload goes on at another byte"


class PartsUnfinished(ApplianceError):
    """An upload can't be put together from parts that are not all there and whole."""

    code = "parts-unfinished"
    title = "Not all parts are there"


# --- what was asked for is not there, or not yours ----------------------------------------------------------------


class UnknownImage(ApplianceError):
    """No image has, or is remembered to have had, this slug."""

    code = "not-found"
    title = "There is no such image"


class GoneImage(ApplianceError):
    """The image expired or was deleted."""

    code = "gone"
    title = "This image is gone"


class UnknownAlbum(ApplianceError):
    """No album has, or is remembered to have had, this slug."""

    code = "album-not-found"
    title = "There is no such album"


class GoneAlbum(ApplianceError):
    """The album expired, was deleted, or lost its last image."""

    code = "album-gone"
    title = "This album is no longer available"


class TooManyImages(ApplianceError):
    """More images than an album may hold."""

    code = "too-many-images"
    title = "There are too many images in this album"


class UnknownRendition(ApplianceError):
    """A size or format that this host does not make."""

    code = "unknown-rendition"
    title = "There is no such size or format"


class InvalidImageRequest(ApplianceError):
    """A region, size, rotation, quality or format that no image of this host could be asked for, or beyond a limit."""

    code = "invalid-image-request"
    title = "This part of the image can't be asked for"


class UnsupportedImageRequest(ApplianceError):
    """What the IIIF Image API knows, but this host does not do."""

    code = "unsupported-image-request"
    title = "This host does not do that"


class NotHereYet(ApplianceError):
    """The picture is still being uploaded."""

    code = "not-here-yet"
    title = "This picture is still being uploaded"


class UnknownUpload(ApplianceError):
    """No resumable upload has this id, or it ended long ago."""

    code = "upload-not-found"
    title = "There is no such upload"


class GoneUpload(ApplianceError):
    """The resumable upload was given up, by its client or because nothing came for too long."""

    code = "upload-gone"
    title = "This upload was given up"


class FinalUpload(ApplianceError):
    """Bytes were sent to an upload that is put together from parts."""

    code = "upload-is-final"
    title = "This upload is made of its parts"


class CannotResize(ApplianceError):
    """The original is kept and downloadable, but no rendition can be made of it."""

    code = "cannot-resize"
    title = "This image can't be resized"
    final = False
    """Whether another try can't end otherwise: the pixels are at fault, not a deadline, memory or a worker's death."""


class NoSuchPage(ApplianceError):
    """Nothing is at this address."""

    code = "no-such-page"
    title = "There is nothing here"


class FormatNotOffered(ApplianceError):
    """The answer can't be given in the format that was asked for."""

    code = "format-not-offered"
    title = "This format is not offered"


class MethodNotAllowed(ApplianceError):
    """The address is there, but not for this method."""

    code = "method-not-allowed"
    title = "This can't be done here"


class RangeNotSatisfiable(ApplianceError):
    """A range that starts behind the last byte."""

    code = "range-not-satisfiable"
    title = "There are no such bytes"


class MissingToken(ApplianceError):
    """A change was asked for without the delete token."""

    code = "token-required"
    title = "The delete token is needed"


class WrongToken(ApplianceError):
    """The delete token is not this image's."""

    code = "token-wrong"
    title = "The delete token does not fit"


class Conflict(ApplianceError):
    """The image changed meanwhile, or is in a state that does not allow what was asked."""

    code = "conflict"
    title = "The image changed meanwhile"


# --- this host can't just now -------------------------------------------------------------------------------------


class DiskFull(ApplianceError):
    """There is no room for so many bytes (actual). What is free is never said: it would be the figure to aim at."""

    code = "disk-full"
    title = "There is no room for this upload"


class Busy(ApplianceError):
    """The queue before the workers is full, or as many uploads as are taken at once are under way."""

    code = "busy"
    title = "Too much is going on just now"


class UploadPaused(ApplianceError):
    """There is no room for more of a resumable upload just now; what came of it is kept."""

    code = "upload-paused"
    title = "The upload waits for room"


class UploadLocked(ApplianceError):
    """Another request works on the same resumable upload, or took it over."""

    code = "upload-locked"
    title = "Another request works on this upload"


class StoreUnavailable(ApplianceError):
    """The object store does not answer, or answers with a fault."""

    code = "store-unavailable"
    title = "The object store does not answer"


class ObjectMissing(ApplianceError):
    """The object store holds no object under this key. A fault while a row lives; fine when deleting."""

    code = "object-missing"
    title = "The original is not in the store"


class Stopping(ApplianceError):
    """The server takes no new work any more."""

    code = "stopping"
    title = "The server is restarting"


class Draining(ApplianceError):
    """The sysadmin has taken the host out of service for uploads; views go on."""

    code = "draining"
    title = "No uploads are taken just now"


class InternalError(ApplianceError):
    """Something that nobody foresaw; the log has it whole."""

    code = "internal-error"
    title = "Something went wrong here"


class ConfigError(ApplianceError):
    """The configuration has mistakes; `detail` has a line for each."""

    code = "invalid-configuration"
    title = "The configuration has mistakes"


class DataDirectoryLocked(ApplianceError):
    """Another process owns the data directory."""

    code = "data-directory-locked"
    title = "The data directory is in use"


class UnfitInstallation(ApplianceError):
    """A part that the server needs is absent or too old."""

    code = "unfit-installation"
    title = "The installation is not fit to run"


class CatalogueUnavailable(ApplianceError):
    """The catalogue's file can't be opened, read or written."""

    code = "catalogue-unavailable"
    title = "The catalogue does not answer"


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
    title = "The clock has jumped; nothing is expired"


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
