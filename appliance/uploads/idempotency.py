"""Idempotency keys: a repeated upload gets the first answer again, including its delete token."""

import hashlib
import json
from dataclasses import replace

from appliance.catalogue import Catalogue
from appliance.delivery.originals import Originals
from appliance.domain import tokens
from appliance.domain.clients import Client
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    GoneImage,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    NodeUnavailable,
    StoreUnavailable,
    UnknownImage,
    WrongPassphrase,
)
from appliance.domain.model import IdempotencyRecord, Image, KeepMetadata, UploadOptions
from appliance.domain.visibility import require_visible
from appliance.limits.repeats import Repeats
from appliance.locks import Locksmith
from appliance.spool import Incoming, Spool
from appliance.uploads.committer import Accepted, Committer

RETRY_AFTER_S = 2
REPEAT_SLACK_BYTES = 1_000_000
"""What a form has around a file, and what was cut off the file."""

_FINGERPRINTS: dict[KeepMetadata, list[str]] = {  # stored, so these strings never change
    KeepMetadata.NOTHING: [],
    KeepMetadata.ALL: ["keep_metadata"],
    KeepMetadata.CREDITS: ["keep_metadata=credits"],
}


def repeat_key(incoming: Incoming, options: UploadOptions) -> str | None:
    """The key by which a repeat of this upload is recognised: its Idempotency-Key.

    A form's key is combined with the file and its fields, because a browser may show a form that it has sent before.
    """
    if options.idempotency_key is not None or options.form_key is None:
        return options.idempotency_key
    parts = [options.form_key, _fingerprint(incoming, options)]
    return tokens.combine_secrets([*parts, options.passphrase] if options.passphrase else parts)


class IdempotentCommitter:
    """Commits an upload with an Idempotency-Key once, however often it is sent."""

    def __init__(
        self,
        committer: Committer,
        *,
        catalogue: Catalogue,
        originals: Originals,
        spool: Spool,
        locksmith: Locksmith,
        repeats: Repeats,
        clock: Clock,
    ) -> None:
        self._committer = committer
        self._originals = originals
        self._catalogue = catalogue
        self._spool = spool
        self._locksmith = locksmith
        self._repeats = repeats
        self._clock = clock
        self._keys_in_use: set[str] = set()

    async def is_free_repeat(self, key: str, announced_bytes: int, client: Client) -> bool:
        """Whether it repeats an upload of this client with this key, whose image was about as large. Counts nothing."""
        key_hash = tokens.hash_secret(key)
        if not self._repeats.are_free(key_hash, client):
            return False
        first = await self._catalogue.idempotency.get(key_hash)
        image = None if first is None else await self._catalogue.images.get(first.slug)
        return isinstance(image, Image) and 0 < announced_bytes <= image.bytes + REPEAT_SLACK_BYTES

    def take_repeat(self, key: str, client: Client) -> bool:
        """Count a free repeat. False, and then nothing is counted, where others of the key or network were faster."""
        return self._repeats.take(tokens.hash_secret(key), client)

    async def commit(self, incoming: Incoming, options: UploadOptions, key: str, client: Client) -> Accepted:
        """Commit as `Committer.commit` does, or give the key's first answer.

        Nobody may have got that. So where its image's original can't be reached, the file takes its place: the node
        that has it may be lost. Otherwise the file is discarded.

        Raises as `Committer.commit` does, IdempotencyKeyInUse, also as long as the first answer waits until its image
        is safe, IdempotencyKeyReused, GoneImage where the first answer's image has ended, NodeUnavailable and
        StoreUnavailable where the file becomes another original.
        """
        key_hash = tokens.hash_secret(key)
        if key_hash in self._keys_in_use:
            raise _in_use()
        self._keys_in_use.add(key_hash)
        try:
            fingerprint = _fingerprint(incoming, options)
            first = await self._catalogue.idempotency.get(key_hash)
            if first is None:
                return await self._first(incoming, options, key, fingerprint, client)
            accepted = await self._repeated(first, fingerprint, key)
            await self._require_same_passphrase(accepted.image, options, client)
            try:
                await self._originals.require_reachable(accepted.image)
            except (NodeUnavailable, StoreUnavailable) as fault:
                keep = options.keep_metadata
                committed = await self._committer.commit_again(incoming, accepted.image, keep, client, fault)
                return replace(accepted, committed=committed)
            await self._require_safe(accepted.image, client)
            await self._spool.discard(incoming.slug)
            return accepted
        finally:
            self._keys_in_use.discard(key_hash)

    async def _first(
        self, incoming: Incoming, options: UploadOptions, key: str, fingerprint: str, client: Client
    ) -> Accepted:
        secret = tokens.generate_secret()
        record = IdempotencyRecord(tokens.hash_secret(key), incoming.slug, fingerprint, int(self._clock()), secret)
        token = tokens.derive_keyed_token(key, incoming.slug, secret)
        committed = await self._committer.commit(incoming, options, tokens.hash_secret(token), client, record)
        self._repeats.remember(record.key_hash, client)
        return Accepted(committed.image, token, committed)

    async def _require_safe(self, image: Image, client: Client) -> None:
        """Raises IdempotencyKeyInUse if the image isn't safe within the ack budget."""
        waits = self._committer.is_being_stored(image)
        if waits and not await self._committer.is_stored_within_budget(image, client):
            raise _in_use()

    async def _require_same_passphrase(self, image: Image, options: UploadOptions, client: Client) -> None:
        """No record has the passphrase. Raises IdempotencyKeyReused if it doesn't open the first answer's image."""
        if options.passphrase is None:
            return None
        try:
            if image.lock is not None:
                return await self._locksmith.require(options.passphrase, image.slug, image.lock, client)
        except WrongPassphrase:
            pass
        raise _reused()

    async def _repeated(self, first: IdempotencyRecord, fingerprint: str, key: str) -> Accepted:
        if first.fingerprint != fingerprint:
            raise _reused()
        try:
            image = require_visible(await self._catalogue.images.get(first.slug), self._clock())
        except (GoneImage, UnknownImage) as fault:
            raise GoneImage(
                "This was uploaded before, and the image has since expired or was deleted. To upload it again, reload "
                "the form or use a new Idempotency-Key."
            ) from fault
        return Accepted(image, tokens.derive_keyed_token(key, first.slug, first.secret), None)


def _in_use() -> IdempotencyKeyInUse:
    return IdempotencyKeyInUse(
        "An upload with this Idempotency-Key is still running. Repeat the request when it has finished.",
        retry_after_s=RETRY_AFTER_S,
    )


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        "This Idempotency-Key was used with another file or other fields. Use a new key for a new upload."
    )


def _fingerprint(incoming: Incoming, options: UploadOptions) -> str:
    """A hash of the upload as it was sent, before it is scrubbed."""
    parts = [incoming.sha256, options.filename, options.title, options.alt, options.expires_in_s]
    parts += _FINGERPRINTS[options.keep_metadata]
    parts += ["passphrase"] * (options.passphrase is not None) + ["one_view"] * options.one_view
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
