"""Errors of a resumable upload."""

from appliance.domain.errors.base import ApplianceError


class UnsupportedTusVersion(ApplianceError):
    """The request names no version of tus, or one that this host does not support."""

    code = "unsupported-tus-version"
    title = "This tus version is not supported"


class NotTusBody(ApplianceError):
    """The request's bytes do not have the media type that its protocol requires."""

    code = "wrong-content-type"
    title = "The Content-Type is wrong"


class ChecksumMismatch(ApplianceError):
    """The bytes of the request do not match its checksum. None of them was kept."""

    code = "checksum-mismatch"
    title = "The checksum doesn't match"
    texts = ("The file was damaged on the way. Upload it again.",)


class OffsetMismatch(ApplianceError):
    """The upload continues at another byte (limit) than the one in the request (actual)."""

    code = "offset-mismatch"
    title = "The upload is out of sync"
    texts = ("The upload is out of sync. Try again.",)


class InconsistentLength(ApplianceError):
    """The request contradicts the length of its upload (limit, in bytes), or itself."""

    code = "inconsistent-upload-length"
    title = "The lengths of the upload contradict each other"


class CompletedUpload(ApplianceError):
    """The upload is complete and accepts no more data."""

    code = "completed-upload"
    title = "The upload is complete already"


class PartsUnfinished(ApplianceError):
    """The upload can't be assembled because some of its parts are missing or incomplete."""

    code = "parts-unfinished"
    title = "Some parts are missing"


class UnknownUpload(ApplianceError):
    """No upload has this id, or it ended long ago."""

    code = "upload-not-found"
    title = "There is no such upload"
    texts = ("This upload no longer exists. Start a new one.",)


class GoneUpload(ApplianceError):
    """The upload was cancelled by its client, or expired because nothing arrived for too long."""

    code = "upload-gone"
    title = "This upload was cancelled or has expired"
    texts = ("This upload was cancelled or has expired. Start a new one.",)


class FinalUpload(ApplianceError):
    """Bytes were sent to an upload that is assembled from parts."""

    code = "upload-is-final"
    title = "This upload is assembled from parts"


class UploadPaused(ApplianceError):
    """There is no room for more of the upload at the moment. What has arrived is kept."""

    code = "upload-paused"
    title = "The upload is waiting for disk space"
    texts = ("There is not enough disk space to continue. What was uploaded is kept; try again later.",)


class UploadMoving(ApplianceError):
    """The node with the upload's bytes is lost, and another one fetches from the store what that has of them."""

    code = "upload-moving"
    title = "The upload is moving to another server"
    texts = ("A server of this host has failed, and another one takes over the upload. Try again in a moment.",)


class UploadLocked(ApplianceError):
    """Another request is using the same upload, or has taken it over."""

    code = "upload-locked"
    title = "Another request is using this upload"
    texts = ("Another tab or connection is using this upload. Try again in a moment.",)


class UploadFinishing(UploadLocked):
    """All bytes of the upload are here, but the image that they become wouldn't survive the loss of this node yet."""

    title = "The upload is being saved"
    texts = ("The whole file has arrived, and is being saved. Try again in a moment.",)
