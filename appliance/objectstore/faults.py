"""What an S3 server's refusals mean to the person who runs it, and what became of requests without an answer."""

from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

_WRONG_KEY = "the access key or secret key is wrong"
_FORBIDDEN = (
    "the key lacks a permission, such as s3:ListBucket on the bucket; docs/operations.md lists all that are needed"
)
_STARTING = "it is busy or still starting"

_MEANINGS = {
    "AccessDenied": _FORBIDDEN,
    "InvalidAccessKeyId": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "InvalidTokenId": _WRONG_KEY,
    "RequestTimeTooSkewed": "the clocks of this host and the store differ by more than 15 minutes",
    "XMinioStorageFull": "its disks are full",
    "QuotaExceeded": "the bucket's quota is used up",
    "EntityTooLarge": "the object is larger than it accepts",
    "BadDigest": "the data was damaged in transit",
    "XMinioServerNotInitialized": _STARTING,
    "SlowDown": _STARTING,
    "SlowDownRead": _STARTING,
    "SlowDownWrite": "too few of its drives are available to write safely, or it is busy",
    "ServiceUnavailable": _STARTING,
    "NoSuchUpload": "it no longer knows a transfer in progress",
}
_WRONG_REGION = ("AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidRegion")

_FAILURES: dict[type[Exception], str] = {  # the special before the general
    ReadTimeoutError: "didn't answer in time",
    NameResolutionError: "can't be found: its name doesn't resolve",
    NewConnectionError: "can't be reached: it isn't running there, or a firewall blocks it",
    ConnectTimeoutError: "can't be reached: the connection timed out",
    SSLError: "failed the TLS handshake: is it meant to be secure, and is its certificate valid and trusted here?",
    ProtocolError: "closed the connection",
}


class S3Refusal(Exception):
    """An error response. `code` is S3's error code and `region` the bucket's, each None where the response has none."""

    def __init__(self, status: int, code: str | None = None, region: str | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.region = region


def explain_refusal(refusal: S3Refusal, bucket: str, region: str) -> str:
    """The refusal in words; `bucket` and `region` are the configured ones."""
    if refusal.region and refusal.region != region:
        return f"its region is {refusal.region}, not {region}: set store.region to {refusal.region}"
    if refusal.code in _WRONG_REGION:
        return f"its region is not {region}, and it doesn't say which: set store.region"
    if refusal.code == "NoSuchBucket":
        return f"there is no bucket {bucket}"
    known = _MEANINGS.get(refusal.code or "") or {403: _FORBIDDEN, 503: _STARTING}.get(refusal.status)
    shown = f"{refusal.status} {refusal.code}" if refusal.code else str(refusal.status)
    return f"{known} ({shown})" if known else f"it answered {shown}"


def explain_failure(error: Exception) -> str:
    """What became of a request without a proper answer, in words that follow "The object store at HOST"."""
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    words = next((words for kind, words in _FAILURES.items() if isinstance(reason, kind)), None)
    return words or f"gave an invalid answer ({type(reason).__name__})"
