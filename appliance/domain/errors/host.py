"""Errors of a running host: it can't do now what was asked, or a part of it has failed."""

from asyncio import Future
from typing import Any

from appliance.domain.errors.base import ApplianceError


class DiskFull(ApplianceError):
    """There is no room for that many bytes (actual). How much is free is never said: nobody should aim at it."""

    code = "disk-full"
    title = "There is not enough disk space"
    texts = (
        "There is not enough disk space: {actual_size} is needed. Try again later.",
        "There is not enough disk space. Try again later.",
    )


class Busy(ApplianceError):
    """The workers' queue is full, or the maximum number of uploads is in progress."""

    code = "busy"
    title = "The server is busy"
    texts = ("The server is busy. Try again in a moment.",)


class Stopping(ApplianceError):
    """The server is shutting down: it accepts no new work, and ends what can't finish in time."""

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
    """The sysadmin has paused uploads. Images stay available."""

    code = "draining"
    title = "Uploads are paused"
    texts = ("Uploads are paused for maintenance. Existing images stay available. Try again later.",)


class InternalError(ApplianceError):
    """Something unforeseen failed. The log has the details."""

    code = "internal-error"
    title = "Something went wrong"
    texts = ("Something went wrong. The error was logged. Try again.",)


class StoreUnavailable(ApplianceError):
    """The object store does not respond, or responds with an error."""

    code = "store-unavailable"
    title = "The object store is not responding"
    texts = ("The image store is not responding. Try again in a moment.",)


class ObjectMissing(ApplianceError):
    """The object store has no object under this key. An error while the row exists; expected when deleting."""

    code = "object-missing"
    title = "The original is missing from the store"
    texts = ("The image file can't be found. Try again later.",)


class CatalogueUnavailable(ApplianceError):
    """The catalogue can't be opened, read or written.

    `answer` is there if a change may have been saved, or may still be: it is done once that is known, and then has the
    outcome of the change or its error.
    """

    code = "catalogue-unavailable"
    title = "The catalogue is unavailable"
    texts = ("The server can't do this right now. Try again in a moment.",)
    answer: Future[Any] | None = None


class SchemaInUse(CatalogueUnavailable):
    """The schema of the catalogue can't be brought up to this release yet. A start waits for it."""


class CatalogueDamaged(ApplianceError):
    """The catalogue's file is not a database, or is damaged."""

    code = "catalogue-damaged"
    title = "The catalogue is damaged"


class CatalogueNotInUse(ApplianceError):
    """The rows of this catalogue were moved to another one, or are not all here yet."""

    code = "catalogue-not-in-use"
    title = "The catalogue is not in use"


class CatalogueTooNew(ApplianceError):
    """The catalogue was written by a newer release than this one."""

    code = "catalogue-too-new"
    title = "The catalogue is newer than this release"


class ClockJumped(ApplianceError):
    """The wall clock moved in a way that makes expiring unsafe."""

    code = "clock-jumped"
    title = "The clock has jumped; nothing was expired"


class PurgeFailed(ApplianceError):
    """A shared cache has not confirmed a purge."""

    code = "purge-failed"
    title = "A shared cache can't be purged"
