"""Management: what the holder of a delete token may do with an image, and what the operator of the host may."""

import asyncio
from dataclasses import dataclass, field, replace

from appliance.cache import Caches
from appliance.catalogue import UNCHANGED, ImageCatalogue, KeyCatalogue, Unchanged
from appliance.config.model import Deletion, Uploads
from appliance.domain import tokens
from appliance.domain.access_keys import AccessKey
from appliance.domain.access_records import RecordKind
from appliance.domain.clients import THIS_HOST, Client
from appliance.domain.clock import DAY_S, Clock
from appliance.domain.errors import Conflict, GoneImage, MissingToken, UnknownImage, WrongToken
from appliance.domain.key_rules import default_expiry_s, require_expiry, require_manager
from appliance.domain.model import Ending, Image, Tombstone
from appliance.domain.preconditions import AllowedVersions, require_version
from appliance.domain.upload_options import MAX_ALT_CHARS, MAX_TITLE_CHARS, check_expiry, clean_text
from appliance.domain.visibility import require_visible
from appliance.lifecycle.access_records import StoredAccessRecords
from appliance.lifecycle.conflicts import retry_on_conflict
from appliance.lifecycle.endings import UNDO_S, End, OwnedEnd, is_spent, restorable_until_s, without_undo
from appliance.lifecycle.prompt_writes import PromptWrites
from appliance.lifecycle.service import Lifecycle
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.tombstones import StoredTombstones
from appliance.locks import Locksmith
from appliance.observability.metrics import Metrics

Proof = str | AccessKey | None
"""What shows that an image or album is somebody's: its delete token, or the access key that it was uploaded with."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; `expires_s` is a unix second. `restore` restores an ended image while its bytes are kept.

    `passphrase` replaces the one of before; None removes it.
    """

    title: str | Unchanged | None = UNCHANGED
    alt: str | Unchanged | None = UNCHANGED
    expires_s: int | None = None
    restore: bool = False
    passphrase: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    one_view: bool | Unchanged = UNCHANGED

    @property
    def closes_or_opens(self) -> bool:
        """Whether they decide who may see the image."""
        return not (isinstance(self.passphrase, Unchanged) and isinstance(self.one_view, Unchanged))


def undo_or_bin_s(bin_days: int, *, to_bin: bool) -> int:
    """For how many seconds a deletion can be taken back. Without a bin (0 days) it is the undo time in any case."""
    return bin_days * DAY_S if to_bin and bin_days else UNDO_S


def check_token(token: Proof, stored_hash: str, access_key: str | None) -> None:
    """Raises MissingToken, WrongToken; KeyScope for a key that isn't `access_key` or may not manage."""
    if isinstance(token, AccessKey):
        require_manager(token, access_key)
    elif not token:
        raise MissingToken("Send the delete token you received with the upload: Authorization: Bearer <token>.")
    elif not tokens.matches(token, stored_hash):
        raise WrongToken()


class Management:
    """Changes, ends and restores images for the holders of their delete tokens."""

    def __init__(
        self,
        limits: Uploads,
        deletion: Deletion,
        *,
        catalogue: ImageCatalogue,
        keys: KeyCatalogue,
        cache: Caches,
        sidecars: Sidecars,
        tombstones: StoredTombstones,
        locksmith: Locksmith,
        lifecycle: Lifecycle[Image],
        prompt_writes: PromptWrites,
        access_records: StoredAccessRecords,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._limits = limits
        self._bin_days = deletion.bin_days
        self._sidecars = sidecars
        self._tombstones = tombstones
        self._locksmith = locksmith
        self._lifecycle = lifecycle
        self._prompt_writes = prompt_writes
        self._access_records = access_records
        self._catalogue = catalogue
        self._keys = keys
        self._cache = cache
        self._metrics = metrics
        self._clock = clock

    async def owned(self, slug: str, token: Proof) -> Image:
        """The image, ended or not, for the holder of its token or key.

        Raises UnknownImage, GoneImage, MissingToken, WrongToken, KeyScope.
        """
        found = await self._catalogue.get(slug)
        if found is None:
            raise UnknownImage()
        if isinstance(found, Tombstone):
            raise GoneImage("This image was erased and can't be restored.")
        check_token(token, found.token_hash, found.access_key)
        return found

    async def end_of(self, slug: str) -> End:
        """How an image ended, as far as everybody may know."""
        found = await self._catalogue.get(slug)
        if not isinstance(found, Image):
            return End(found.ended if found else None)
        ended = found.ended or (Ending.EXPIRED if found.expires_s <= self._clock() else None)
        until_s = without_undo(restorable_until_s(found, self._clock()), ended, found.ended_s)
        return End(ended, until_s, is_spent(found))

    async def owned_end(self, slug: str, token: Proof) -> OwnedEnd:
        """What the holder of the token learns of an image that has ended. Raises as `owned` does."""
        image = await self.owned(slug, token)
        return OwnedEnd(restorable_until_s(image, self._clock()), image.viewing_s)

    async def change(
        self,
        slug: str,
        token: Proof,
        changes: Changes,
        *,
        client: Client = THIS_HOST,
        only_versions: AllowedVersions = None,
    ) -> Image:
        """The changed image. A new expiry restores an expired one while its bytes are kept.

        Without any change the image stays as it is. Raises as `owned` does, InvalidField, InvalidExpiry,
        VersionMismatch unless the image has one of `only_versions`, and GoneImage when it has ended, which says until
        when it can be restored. Busy while too many passphrases are being hashed.
        """
        before = await self.owned(slug, token)
        await self._require_expiry_of_key(before, changes)
        checked, lock = self._checked(changes), await self._lock(changes, client)

        async def change_row() -> Image:
            image = await self.owned(slug, token)
            require_version(image.version, only_versions)
            return await self._change_row(image, checked, lock)

        changed = await retry_on_conflict(change_row)
        if changes.closes_or_opens:
            await asyncio.gather(
                self._access_records.settle_now(RecordKind.LOCK, slug),
                self._prompt_writes.attempt(self._lifecycle.sync_records),
            )
        if before.ended is Ending.DELETED:
            await self._tombstones.settle_now(slug)
        return changed

    async def _lock(self, changes: Changes, client: Client) -> str | Unchanged | None:
        """The lock for a new passphrase. Raises InvalidField, Busy."""
        if changes.passphrase is None or isinstance(changes.passphrase, Unchanged):
            return changes.passphrase
        return await self._locksmith.lock(changes.passphrase, client)

    async def _change_row(self, image: Image, changes: Changes, lock: str | Unchanged | None) -> Image:
        """Compare and set. Raises Conflict when the row changed meanwhile."""
        now_s = int(self._clock())
        is_over = image.ended is Ending.EXPIRED or (image.ended is None and image.expires_s <= now_s)
        if image.viewing is not None and changes.restore and isinstance(changes.one_view, Unchanged):
            changes = replace(changes, one_view=True)  # its view broke off: it is offered again
        if not changes.restore and not (is_over and changes.expires_s is not None):
            self._require_visible(image)
        if image.ended is None and changes == Changes():
            return image
        expires_s: int | None = changes.expires_s
        if expires_s is None and image.viewing is not None and not isinstance(changes.one_view, Unchanged):
            expires_s = now_s + await self._default_expiry_s(image)  # the view has shortened it
        elif is_over or image.ended is not None:
            expires_s = await self._new_expiry(image, changes, now_s)
        if is_spent(image):
            self._require_visible(image)
        if image.ended is not None:
            if now_s > (image.erase_after_s or 0):
                raise GoneImage("This image can no longer be restored.")
            image = await self._catalogue.restore(image.slug, now_s=now_s, expires_s=expires_s)
        try:
            changed = await self._catalogue.change(
                image.slug,
                version=image.version,
                title=changes.title,
                alt=changes.alt,
                expires_s=UNCHANGED if expires_s is None else expires_s,
                lock=lock,
                one_view=changes.one_view,
            )
        except GoneImage as fault:
            raise Conflict("The image has expired or was deleted in the meantime.") from fault
        await self._sidecars.keep(changed)
        return changed

    def _require_visible(self, image: Image) -> None:
        """Raises GoneImage for one that has ended, which says until when it can be restored."""
        try:
            require_visible(image, self._clock())
        except GoneImage as fault:
            fault.restorable_until_s = restorable_until_s(image, self._clock())
            raise

    async def _new_expiry(self, image: Image, changes: Changes, now_s: int) -> int:
        if changes.expires_s is not None:
            return changes.expires_s
        return image.expires_s if image.expires_s > now_s else now_s + await self._default_expiry_s(image)

    async def _default_expiry_s(self, image: Image) -> int:
        """How long a new image with the same key is kept that chooses nothing, in seconds."""
        key = None if image.access_key is None else await self._keys.get(image.access_key)
        return default_expiry_s(key, self._limits.default_expiry_days * DAY_S)

    def _checked(self, changes: Changes) -> Changes:
        if changes.expires_s is not None:
            check_expiry(changes.expires_s - int(self._clock()), self._limits.max_expiry_days)
        title, alt = changes.title, changes.alt
        return replace(
            changes,
            title=title if isinstance(title, Unchanged) else clean_text("title", title, MAX_TITLE_CHARS),
            alt=alt if isinstance(alt, Unchanged) else clean_text("alt", alt, MAX_ALT_CHARS),
        )

    async def _require_expiry_of_key(self, image: Image, changes: Changes) -> None:
        """Raises InvalidExpiry for one that the key doesn't allow with which the image was uploaded."""
        if changes.expires_s is not None and image.access_key is not None:
            require_expiry(await self._keys.get(image.access_key), changes.expires_s - int(self._clock()))

    async def delete(
        self, slug: str, token: Proof, *, to_bin: bool = False, only_versions: AllowedVersions = None
    ) -> Image:
        """End the image: 410 from now on, erased from everywhere after the undo time, or the days in the bin.

        Deleting twice is fine; the earlier time counts, so that one in the bin is erased by a deletion without the bin.
        Raises as `owned` does, and VersionMismatch unless the image has one of `only_versions`.
        """
        undo_s = undo_or_bin_s(self._bin_days, to_bin=to_bin)

        async def end_row() -> Image:
            image = await self.owned(slug, token)
            require_version(image.version, only_versions)
            return await self._end(image, undo_s=undo_s, version=None if only_versions is None else image.version)

        return await retry_on_conflict(end_row)

    async def take_down(self, slug: str) -> None:
        """End the image for good, without its token: nobody can undo it. Raises UnknownImage, GoneImage (already)."""
        before = await self._catalogue.get(slug)
        if before is None:
            raise UnknownImage()
        if isinstance(before, Tombstone):
            raise GoneImage("This image was erased and can't be restored.")
        image = await self._end(before, undo_s=0, for_good=True)
        if image.version == before.version:
            raise GoneImage("This image is being erased.")

    async def _end(self, before: Image, *, undo_s: int, version: int | None = None, for_good: bool = False) -> Image:
        """Raises Conflict if the row no longer has `version`."""
        now_s = int(self._clock())
        image = await self._catalogue.end(
            before.slug, now_s=now_s, erase_after_s=now_s + undo_s, version=version, for_good=for_good
        )
        await self._sidecars.keep(image)
        await self._cache.evict(image.slug)
        await self._tombstones.settle_now(image.slug)
        if before.ended is not Ending.DELETED:
            self._metrics.deleted.inc()
        return image
