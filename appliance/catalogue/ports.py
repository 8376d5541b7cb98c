"""The port of the whole catalogue: what the rest of the appliance may ask of it, whatever database is behind it.

Every method may raise CatalogueUnavailable (the database can't be reached, read or written), CatalogueDamaged, and
Stopping once `Catalogue.stop` was called; every change may also raise DiskFull. A docstring names only what else its
method raises. A change is durable when its method returns, and is made whole or not at all. Cancelling the caller does
not undo a change that was handed over.

Times are unix seconds (UTC). Walks are in the order of slugs, which is that of time: pass the last slug of one batch as
`after` to get the next one; "" starts. `tests/contract/catalogue` holds each implementation to these promises.
"""

from types import TracebackType
from typing import Protocol, Self

from appliance.catalogue.album_catalogue import AlbumCatalogue
from appliance.catalogue.ban_catalogue import BanCatalogue
from appliance.catalogue.change_log import ChangeLog
from appliance.catalogue.day_budget_catalogue import DayBudgetCatalogue
from appliance.catalogue.idempotency_catalogue import IdempotencyCatalogue
from appliance.catalogue.image_catalogue import ImageCatalogue
from appliance.catalogue.invite_catalogue import InviteCatalogue
from appliance.catalogue.key_catalogue import KeyCatalogue
from appliance.catalogue.node_catalogue import NodeCatalogue
from appliance.catalogue.notes import Notes
from appliance.catalogue.purge_outbox import PurgeOutbox
from appliance.catalogue.record_outbox import RecordOutbox
from appliance.catalogue.upload_catalogue import UploadCatalogue


class Catalogue(Protocol):
    """A catalogue with all its parts, owned by one process."""

    @property
    def images(self) -> ImageCatalogue: ...
    @property
    def uploads(self) -> UploadCatalogue: ...
    @property
    def albums(self) -> AlbumCatalogue: ...
    @property
    def idempotency(self) -> IdempotencyCatalogue: ...
    @property
    def purges(self) -> PurgeOutbox: ...
    @property
    def keys(self) -> KeyCatalogue: ...
    @property
    def invites(self) -> InviteCatalogue: ...
    @property
    def bans(self) -> BanCatalogue: ...
    @property
    def records(self) -> RecordOutbox: ...
    @property
    def notes(self) -> Notes: ...
    @property
    def day_budgets(self) -> DayBudgetCatalogue: ...
    @property
    def nodes(self) -> NodeCatalogue: ...

    @property
    def change_log(self) -> ChangeLog | None:
        """None where commands keep it themselves, because more than one connection may write."""

    @property
    def fault(self) -> str | None:
        """Why changes can't be saved, in words; None if the last one could. While it starts: what takes long."""

    def require_answering(self) -> None:
        """Raises CatalogueUnavailable while the database has confirmed no change for long; all changes do then."""

    async def start(self) -> None:
        """Open the database, create it if there is none, and bring its schema up to this release.

        Raises CatalogueTooNew if a newer release has changed it, UnfitInstallation if the database is too old,
        SchemaInUse if its schema can't be changed now: then it may be called again.
        """

    async def confirm(self) -> None:
        """Return once the database has confirmed a commit, however long that takes. Raises its faults."""

    async def is_standby_awaited(self) -> bool:
        """Whether commits wait for a standby of the database that is away; also while it starts, or after it failed to.

        False where that can't be learned.
        """

    async def stop(self) -> None:
        """Commit everything that was handed over, and close. Safe to call twice, and after a failed start."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
