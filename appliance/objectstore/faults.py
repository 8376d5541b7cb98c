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

_CREDENTIALS = "the access key or secret key is wrong, or isn't allowed to use this bucket"
_STARTING = "it is busy or still starting"

_MEANINGS = {
    "AccessDenied": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "InvalidTokenId": _CREDENTIALS,
    "AuthorizationHeaderMalformed": "it is configured for a region other than us-east-1",
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


_FAILURES: dict[type[Exception], str] = {  # the special before the general
    ReadTimeoutError: "didn't answer in time",
    NameResolutionError: "can't be found: its name doesn't resolve",
    NewConnectionError: "can't be reached: it isn't running there, or a firewall blocks it",
    ConnectTimeoutError: "can't be reached: the connection timed out",
    SSLError: "failed the TLS handshake: is it meant to be secure, and is its certificate valid and trusted here?",
    ProtocolError: "closed the connection",
}


def meaning(code: str | None, status: int, bucket: str) -> str:
    """The refusal in words; `code` is S3's error code where it sent one."""
    if code == "NoSuchBucket":
        return f"there is no bucket {bucket}"
    known = _MEANINGS.get(code or "") or {403: _CREDENTIALS, 503: _STARTING}.get(status)
    shown = f"{status} {code}" if code else str(status)
    return f"{known} ({shown})" if known else f"it answered {shown}"


def failing(error: Exception) -> str:
    """What became of a request that got no proper answer, in words to go on after "The object store at HOST"."""
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    words = next((words for kind, words in _FAILURES.items() if isinstance(reason, kind)), None)
    return words or f"gave an invalid answer ({type(reason).__name__})"
