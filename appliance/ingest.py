"""Ingest: one verb, accept an upload. The ten-second rule is kept here (docs/architecture.md, "Upload")."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from appliance import slugs, tokens
from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.config import Config
from appliance.doors import Doors
from appliance.errors import (
    ApplianceError,
    GoneImage,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    UnknownImage,
)
from appliance.lifecycle.shipping import Shipper
from appliance.living import living
from appliance.model import IdempotencyRecord, Image, KeepMetadata, Upload, Wishes
from appliance.objectstore.records import metadata_of, needs_sidecar
from appliance.places import Place, Places
from appliance.renditions import Facts
from appliance.scrubbing import Scrubbed, Scrubber
from appliance.spool import Incoming, Spool, too_large
from appliance.wishes import DAY_S, checked
from appliance.workers import Workers

BUSY_RETRY_AFTER_S = 5
_FINGERPRINTS: dict[KeepMetadata, list[str]] = {  # the first two are those that releases have always recorded
    KeepMetadata.NOTHING: [],
    KeepMetadata.ALL: ["keep_metadata"],
    KeepMetadata.CREDITS: ["keep_metadata=credits"],
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A promise made: the image is shareable now. `replayed`: an Idempotency-Key gave the first answer again."""

    image: Image
    delete_token: str
    replayed: bool = False


class Ingest:
    """Takes bytes and wishes, gives an image whose link works, even after a kill -9 at that moment."""

    def __init__(
        self,
        config: Config,
        *,
        spool: Spool,
        workers: Workers,
        catalogue: Catalogue,
        shipper: Shipper,
        prewarm: Callable[[Image, str], None],
        doors: Doors,
        clock: Clock,
    ) -> None:
        self._config = config
        self._limits = config.uploads
        self._spool = spool
        self._workers = workers
        self._catalogue = catalogue
        self._shipper = shipper
        self._prewarm = prewarm
        self._doors = doors
        self._clock = clock
        self._scrubber = Scrubber(spool=spool, workers=workers, catalogue=catalogue)
        self._keys_in_use: set[str] = set()
        self._places = Places("uploads are in progress", self._limits.concurrency, BUSY_RETRY_AFTER_S)

    async def check(self, announced_bytes: int, wishes: Wishes, holder: str = "") -> None:
        """Say no before the bytes are sent, when it is certain already.

        Raises Draining, TooLarge, DiskFull, Busy, InvalidField, InvalidExpiry, IdempotencyKeyInvalid.
        """
        self._doors.check()
        if announced_bytes > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes, announced_bytes)
        self.check_wishes(wishes)
        self._places.check(holder)
        await self._spool.check_room(announced_bytes)

    def check_wishes(self, wishes: Wishes) -> None:
        """Raises InvalidField, InvalidExpiry, IdempotencyKeyInvalid."""
        checked(wishes, self._limits.max_expiry_days)

    def place(self, holder: str) -> AbstractAsyncContextManager[Place]:
        """One of the `concurrency` places for uploads, from their first byte to their last.

        Raises Draining, and Busy: at once when there is none, and inside of it when another address has to get one.
        """
        self._doors.check()
        return self._places.place(holder)

    def check_doors(self) -> None:
        """Raises Draining while the host takes no uploads."""
        self._doors.check()

    @property
    def receiving(self) -> int:
        """How many uploads are coming in at this moment."""
        return self._places.now

    async def receive(self, stream: AsyncIterator[bytes], announced_bytes: int | None, holder: str = "") -> Incoming:
        """The bytes on disk, promised to nobody yet. Raises what `Spool.receive` raises."""
        now_s = self._clock()
        return await self._spool.receive(
            slugs.mint(now_s),
            stream,
            announced_bytes=announced_bytes,
            max_bytes=self._limits.max_bytes,
            holder=holder,
            since_s=now_s,
        )

    async def accept(self, incoming: Incoming, wishes: Wishes, client: str) -> Accepted:
        """Inspect, commit and ship what the client sent; on any error the bytes are removed.

        Raises the refusals of `Workers.inspect`, InvalidField, InvalidExpiry, DiskFull and the IdempotencyKey errors.
        """
        key = wishes.idempotency_key
        try:
            wishes = checked(wishes, self._limits.max_expiry_days)
            if key is None:
                token = tokens.fresh_token()
                accepted = Accepted(await self._commit(incoming, wishes, tokens.hashed(token), client), token)
            else:
                accepted = await self._once(incoming, wishes, key, client)
        except Exception:
            await self._spool.discard(incoming.slug)
            raise
        if not accepted.replayed:
            await self.send_off(accepted.image, client)
        return accepted

    async def discard(self, incoming: Incoming) -> None:
        """Forget what was received, when its request turns out to be no good."""
        await self._spool.discard(incoming.slug)

    async def adopt(self, incoming: Incoming, upload: Upload, kept_until_s: int, client: str) -> Image:
        """Inspect and commit what a resumable upload received; its row is done in the same moment.

        On any named error the bytes are where they were. Raises as `accept` does, and Conflict when it was given up
        meanwhile.
        """
        assert upload.token_hash is not None, "a partial upload becomes no image"
        wishes = checked(upload.wishes, self._limits.max_expiry_days)
        try:
            return await self._commit(
                incoming, wishes, upload.token_hash, client, upload=upload, kept_until_s=kept_until_s
            )
        except ApplianceError:
            await self._spool.take_back(incoming.slug, incoming.path, upload.length)
            raise

    async def send_off(self, image: Image, client: str) -> None:
        """What follows a commit: ship it, waiting for the store within the budget, and have its sizes made."""
        self._prewarm(image, client)  # at once: a giant's sizes take seconds, and so does its way to the store
        await self._shipper.ship_within(image, self._limits.ack_budget_s, client)

    async def _commit(
        self,
        incoming: Incoming,
        wishes: Wishes,
        token_hash: str,
        client: str,
        record: IdempotencyRecord | None = None,
        *,
        upload: Upload | None = None,
        kept_until_s: int = 0,
    ) -> Image:
        incoming = await self._scrubber.take_up(incoming, upload)
        with incoming.path.open("rb", buffering=0) as file:
            facts = await self._workers.inspect(file.fileno(), client)
        scrubbed = await self._scrubber.scrub(incoming, upload, wishes.keep_metadata, client)
        image = self._image(scrubbed, facts, wishes, token_hash)
        with self._spool.landing(image.slug):
            await self._spool.land(scrubbed.incoming, metadata_of(image))
            await self._catalogue.add(
                image,
                record,
                sidecar_due=needs_sidecar(image),
                upload=upload,
                upload_kept_until_s=kept_until_s,
            )
        return image

    def _image(self, scrubbed: Scrubbed, facts: Facts, wishes: Wishes, token_hash: str) -> Image:
        incoming = scrubbed.incoming
        now_s = int(self._clock())
        expires_in_s = wishes.expires_in_s or self._limits.default_expiry_days * DAY_S
        return Image(
            slug=incoming.slug,
            filename=wishes.filename,
            title=wishes.title,
            alt=wishes.alt,
            media_type=facts.media_type,
            bytes=incoming.bytes,
            sha256=incoming.sha256,
            width=facts.width,
            height=facts.height,
            frames=facts.frames,
            has_alpha=facts.has_alpha,
            progressive=facts.progressive,
            memory_bytes=facts.memory_bytes,
            original_only=facts.refusal,
            created_s=now_s,
            expires_s=now_s + expires_in_s,
            token_hash=token_hash,
            private_data=scrubbed.private_data,
            content_credentials=scrubbed.content_credentials,
            keep_metadata=wishes.keep_metadata,
        )

    # --- an Idempotency-Key: the first answer again -------------------------------------------------------------------

    async def _once(self, incoming: Incoming, wishes: Wishes, key: str, client: str) -> Accepted:
        key_hash, fingerprint = tokens.hashed(key), _fingerprint(incoming, wishes)
        if key_hash in self._keys_in_use:
            raise IdempotencyKeyInUse(
                "An upload with this Idempotency-Key is still running. Repeat the request when it has finished.",
                retry_after_s=2,
            )
        self._keys_in_use.add(key_hash)
        try:
            first = await self._catalogue.idempotent(key_hash)
            if first is not None:
                accepted = await self._replay(first, fingerprint, key)
                await self._spool.discard(incoming.slug)
                return accepted
            secret = tokens.fresh_secret()
            record = IdempotencyRecord(key_hash, incoming.slug, fingerprint, int(self._clock()), secret)
            token = tokens.keyed_token(key, incoming.slug, secret)
            return Accepted(await self._commit(incoming, wishes, tokens.hashed(token), client, record), token)
        finally:
            self._keys_in_use.discard(key_hash)

    async def _replay(self, first: IdempotencyRecord, fingerprint: str, key: str) -> Accepted:
        if first.fingerprint != fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with another file or other fields. Use a new key for a new upload."
            )
        try:
            image = living(await self._catalogue.get(first.slug), self._clock())
        except (GoneImage, UnknownImage) as fault:
            raise GoneImage("The image uploaded with this Idempotency-Key has expired or was deleted.") from fault
        return Accepted(image, tokens.keyed_token(key, first.slug, first.secret), replayed=True)


def _fingerprint(incoming: Incoming, wishes: Wishes) -> str:
    """Of what was sent: nothing has been taken out of it yet."""
    parts = [incoming.sha256, wishes.filename, wishes.title, wishes.alt, wishes.expires_in_s]
    parts += _FINGERPRINTS[wishes.keep_metadata]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
