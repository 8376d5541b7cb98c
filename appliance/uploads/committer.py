"""Committer: makes an image of a received file, whichever way its bytes came."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.catalogue import Catalogue
from appliance.config.model import Uploads
from appliance.delivery import Delivery
from appliance.domain.access_keys import AccessKey
from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import ApplianceError, CatalogueUnavailable, Conflict, KeyInvalid
from appliance.domain.key_rules import default_expiry_s, require_expiry
from appliance.domain.model import IdempotencyRecord, Image, KeepMetadata, Location, UploadOptions
from appliance.domain.renditions import Priority
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.domain.upload_options import clean_options
from appliance.lifecycle.awaited_originals import AwaitedOriginals
from appliance.lifecycle.shipping import Shipper
from appliance.locks import Locksmith
from appliance.objectstore.records import ObjectRecord, record_of
from appliance.spool import Incoming, Spool
from appliance.uploads.admission import RequireNotBanned
from appliance.uploads.metadata_scrubber import Scrubber
from appliance.uploads.new_image import new_image
from appliance.workers import Workers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """An image whose link works, and what its original is stored with."""

    image: Image
    record: ObjectRecord


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted upload: its image can be shared now.

    `committed` has yet to be shipped; None where an Idempotency-Key repeated the first answer.
    """

    image: Image
    delete_token: str
    committed: Committed | None


class Committer:
    """Inspects, scrubs and commits. What it returns survives a kill -9."""

    def __init__(
        self,
        limits: Uploads,
        *,
        spool: Spool,
        workers: Workers,
        catalogue: Catalogue,
        shipper: Shipper,
        awaited: AwaitedOriginals,
        delivery: Delivery,
        locksmith: Locksmith,
        this_node: ThisNode,
        require_not_banned: RequireNotBanned,
        priority_of: Callable[[Client], Priority],
        clock: Clock,
        max_album_images: int,
    ) -> None:
        self._limits = limits
        self._max_album_images = max_album_images
        self._spool = spool
        self._catalogue = catalogue
        self._shipper = shipper
        self._awaited = awaited
        self._delivery = delivery
        self._locksmith = locksmith
        self._this_node = this_node
        self._require_not_banned = require_not_banned
        self._clock = clock
        self._scrubber = Scrubber(spool=spool, workers=workers, catalogue=catalogue.uploads, priority_of=priority_of)

    async def commit(
        self,
        incoming: Incoming,
        options: UploadOptions,
        token_hash: str,
        client: Client,
        idempotency: IdempotencyRecord | None = None,
        *,
        upload: Upload | None = None,
        upload_kept_until_s: int = 0,
    ) -> Committed:
        """Commit a received file as an image. With `upload`, its row is completed in the same transaction.

        On any error the file is where it was, or has landed: the caller discards it or takes it back, unless the row
        may yet come (`CatalogueUnavailable.answer`): then it is shipped once that has come. With `upload` the answer is
        waited for, however long it takes.

        Raises the refusals of `Workers.inspect`, the errors of an access key or an invite that has ended or reached a
        limit, InvalidField for the passphrase, Banned, DiskFull, Busy, Stopping, Conflict when the upload was given up
        meanwhile, StoreUnavailable where an upload's original couldn't be put ahead, and the catalogue's faults.
        """
        key = await self._key_of(client, upload)
        require_expiry(key, options.expires_in_s)
        incoming = await self._scrubber.resume(incoming, upload)
        facts, found = await self._scrubber.examine(incoming, options.keep_metadata, client)
        scrubbed = await self._scrubber.scrub(incoming, upload, options.keep_metadata, client, found)
        lock = await self._lock(options, client)
        expires_in_s = options.expires_in_s or default_expiry_s(key, self._limits.default_expiry_days * DAY_S)
        image = replace(
            new_image(scrubbed, facts, options, token_hash, now_s=int(self._clock()), expires_in_s=expires_in_s),
            access_key=None if key is None else key.id,
            invite=_invite_of(client, upload),
            lock=lock,
            node=self._this_node.name,
        )
        record = record_of(image)
        with self._spool.landing(image.slug):
            await self._spool.land(scrubbed.incoming, record.metadata)
            self._require_not_banned(client, image.access_key)
            if upload is not None and self._this_node.name is not None:
                await self._require_unchanged(upload)
                path = self._spool.landed_path(image.slug)
                await self._shipper.objects.put_ahead(image, path, record, self._limits.ack_budget_s)
            try:
                await self._catalogue.images.add(
                    image,
                    idempotency,
                    sidecar_due=record.needs_sidecar,
                    upload=upload,
                    upload_kept_until_s=upload_kept_until_s,
                    max_album_images=self._max_album_images,
                )
            except CatalogueUnavailable as fault:
                if fault.answer is None:
                    raise
                if upload is None:
                    self._awaited.add(image, fault.answer, client.id)
                    raise
                await asyncio.shield(fault.answer)
        return Committed(image, record)

    async def commit_again(
        self, incoming: Incoming, image: Image, keep: KeepMetadata, client: Client, fault: ApplianceError
    ) -> Committed:
        """Have the received file be the original of an image for which it was sent before, but which can't be reached.

        Raises `fault`, which says why, unless it becomes the same bytes; as `Workers.inspect` does, DiskFull, and the
        catalogue's faults: as with `commit`, the file stays where the row may yet name this node.
        """
        _, found = await self._scrubber.examine(incoming, keep, client)
        scrubbed = await self._scrubber.scrub(incoming, None, keep, client, found)
        if scrubbed.incoming.sha256 != image.sha256:
            raise fault
        image = replace(image, node=self._this_node.name)
        record = record_of(image)
        with self._spool.landing(image.slug):
            await self._spool.land(replace(scrubbed.incoming, slug=image.slug), record.metadata)
            if image.node is not None:
                await self._claim(image, image.node, client)
        return Committed(image, record)

    async def commit_upload(self, incoming: Incoming, upload: Upload, kept_until_s: int, client: Client) -> Committed:
        """Commit a resumable upload as an image. On a named error its bytes are where they were. Raises as `commit`."""
        assert upload.token_hash is not None, "a partial upload becomes no image"
        options = clean_options(upload.options)  # older releases recorded them unchecked
        try:
            committed = await self.commit(
                incoming, options, upload.token_hash, client, upload=upload, upload_kept_until_s=kept_until_s
            )
        except ApplianceError:
            self._shipper.objects.forget_ahead(incoming.slug)
            await self._spool.take_back(incoming.slug, incoming.path, upload.length)
            raise
        self._shipper.objects.keep(incoming.slug)
        return committed

    async def withdraw(self, upload: Upload) -> None:
        """Remove from the store what was put ahead for an upload that has ended, unless an image has it.

        Best effort: the search for orphans removes what is left.
        """
        slug, objects = upload.slug, self._shipper.objects
        if slug is None or not objects.is_rowless(slug):
            return
        try:
            row = await self._catalogue.uploads.get(upload.id_hash)
            is_active = row is not None and row.state is UploadState.RECEIVING
            if is_active or isinstance(await self._catalogue.images.get(slug), Image):  # another node has it
                objects.keep(slug)
            else:
                await objects.withdraw(slug)
        except ApplianceError as fault:
            log.info("an original is left to the search for orphans: %s", fault.detail, extra={"slug": slug})

    async def prewarm_and_ship(self, committed: Committed, client: Client) -> None:
        """Have the image's sizes rendered, and ship its original, waiting for the store within the ack budget."""
        self._delivery.prewarm_soon(committed.image, client.id)  # first: a huge image takes seconds for either
        await self._shipper.ship_within(committed.image, committed.record, self._limits.ack_budget_s, client.id)

    async def secure(self, committed: Committed, client: Client) -> None:
        """The same, and return once the image is safe: its client hears of success then, and sends nothing again.

        A server that is alone has it on its disk. Among nodes it has to survive this node, so it is in the store,
        or, while that is away, in the spool that its row names. Raises StoreUnavailable if it was lost meanwhile.
        """
        await self.prewarm_and_ship(committed, client)
        if self._this_node.name is not None:
            await self._shipper.until_stored(committed.image)

    def is_being_stored(self, image: Image) -> bool:
        """Whether the image isn't safe yet, as `secure` means it, and soon will be."""
        return self._this_node.name is not None and image.location is Location.SPOOL and self._shipper.store_up

    async def is_stored_within_budget(self, image: Image, client: Client) -> bool:
        """Ship an original that waits in this node's spool, and wait for that within the ack budget.

        False too where another node has the original.
        """
        if not self._this_node.has(image.node):
            return False
        return await self._shipper.ship_within(image, record_of(image), self._limits.ack_budget_s, client.id)

    def is_put_ahead(self, committed: Committed) -> bool:
        """Whether the store had the original before there was a row for it."""
        return self._shipper.objects.is_ahead(committed.image.slug)

    async def is_shipped(self, committed: Committed) -> bool:
        """Wait until the original needs no shipping: the store has it, or the image has ended.

        False where that takes longer, because of a fault. Raises the catalogue's faults.
        """
        await self._shipper.ship(committed.image)
        row = await self._catalogue.images.get(committed.image.slug)
        return not isinstance(row, Image) or row.ended is not None or row.location is Location.STORE

    async def note_stored(self, image: Image) -> bool:
        """Record that the store has the original, if it does: its node may have died before it could.

        False if it doesn't, or the image has ended or was replaced meanwhile. Raises StoreUnavailable and the
        catalogue's faults.
        """
        is_stored = await self._shipper.objects.has(image)
        return is_stored and await self._catalogue.images.mark_shipped(image.slug, image.sha256)

    async def _require_unchanged(self, upload: Upload) -> None:
        """Raises Conflict where the upload has ended, or another node took it over and may have shipped it."""
        row = await self._catalogue.uploads.get(upload.id_hash)
        if row is None or row.state is not UploadState.RECEIVING or row.node != upload.node:
            raise Conflict("The upload was cancelled in the meantime.")

    async def _claim(self, image: Image, node: str, client: Client) -> None:
        try:
            await self._catalogue.images.claim([image.slug], node)
        except CatalogueUnavailable as fault:
            if fault.answer is not None:
                self._awaited.add(image, fault.answer, client.id)
            raise

    async def _key_of(self, client: Client, upload: Upload | None) -> AccessKey | None:
        """The key that the image counts for: of a resumable upload the one that it was created with.

        Raises KeyInvalid if that is lost, so that its upload doesn't become anonymous.
        """
        if upload is None:
            return client.charged_key
        if upload.access_key is None:
            return None
        key = await self._catalogue.keys.get(upload.access_key)
        if key is None:
            raise KeyInvalid
        return key

    async def _lock(self, options: UploadOptions, client: Client) -> str | None:
        if options.passphrase is None:
            return options.lock
        return await self._locksmith.lock(options.passphrase, client)


def _invite_of(client: Client, upload: Upload | None) -> str | None:
    """The id of the invite that the image counts for: of a resumable upload the one that it was created with."""
    if upload is not None:
        return upload.invite
    return None if client.invite is None else client.invite.id
