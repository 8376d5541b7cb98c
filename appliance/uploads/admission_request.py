"""Admission requests: what a client is about to send, as far as the head of its request tells."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from appliance.domain.clients import Client


class UploadStage(Enum):
    """Which part of an upload a request brings."""

    WHOLE = auto()
    """Files from their first byte to their last."""
    OPENING = auto()
    """A new resumable upload, whose bytes may come later."""
    ASSEMBLING = auto()
    """A new resumable upload that is made of parts, whose bytes are here."""
    CONTINUING = auto()
    """More bytes of a resumable upload, which was admitted when it was opened."""


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What a client is about to send: at least `bytes`, to be kept for `expires_in_s`, as far as the request tells.

    `key_may_follow`: a field of the form may still bring an access key, so another request is made for its first file.
    `is_repeat`: its client has made an upload with this `idempotency_key`, so it makes no image, and counts as no
    upload and for no day.
    `access_key` is the id of the key with which a resumable upload was created.
    """

    client: Client
    stage: UploadStage
    bytes: int = 0
    expires_in_s: int | None = None
    key_may_follow: bool = False
    idempotency_key: str | None = None
    is_repeat: bool = False
    access_key: str | None = None


class AdmissionRule(Protocol):
    """A reason to refuse uploads that only some hosts, clients or stages have."""

    async def check(self, request: AdmissionRequest) -> None:
        """Raises the error that says why the request is refused. Counts nothing: it may be called twice."""
