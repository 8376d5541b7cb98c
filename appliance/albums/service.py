"""Albums: create, show, change, end and restore them.

Anybody who knows an image's link may add the image to an album. The album shows what the link shows, no longer than the
link does, and never changes the image.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from appliance.albums.contents import (
    Contents,
    contents,
    end_of,
    remembered,
    restorable_until_s,
    visible_images,
)
from appliance.albums.ordering import AlbumChanges, AlbumOptions
from appliance.albums.rules import AlbumRules, apply
from appliance.catalogue import Catalogue, Unchanged
from appliance.config.model import Config
from appliance.domain import slugs, tokens
from appliance.domain.clients import THIS_HOST, Client
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    GoneAlbum,
    IdempotencyKeyReused,
    MissingToken,
    UnavailableImages,
    UnknownAlbum,
    WrongPassphrase,
)
from appliance.domain.model import Album, Ending, IdempotencyRecord
from appliance.domain.preconditions import AllowedVersions, require_version
from appliance.lifecycle.conflicts import retry_on_conflict
from appliance.lifecycle.endings import without_undo
from appliance.lifecycle.management import Proof, check_token, undo_or_bin_s
from appliance.lifecycle.prompt_writes import PromptWrites
from appliance.lifecycle.service import Lifecycle
from appliance.locks import Locksmith
from appliance.uploads.admission import Admission

NO_UNDO_S = 0  # an undo time that is over by any clock


@dataclass(frozen=True, slots=True)
class CreatedAlbum:
    """A new album, or the first answer to its Idempotency-Key again."""

    contents: Contents
    delete_token: str


class Albums:
    """Creates and shows albums for everybody, and changes them for the holders of their delete tokens."""

    def __init__(
        self,
        config: Config,
        *,
        admission: Admission,
        catalogue: Catalogue,
        lifecycle: Lifecycle[Album],
        prompt_writes: PromptWrites,
        locksmith: Locksmith,
        clock: Clock,
    ) -> None:
        self._rules = AlbumRules(config.albums.max_images, config.uploads.max_expiry_days)
        self._admission = admission
        self._catalogue = catalogue
        self._rows = catalogue.albums
        self._bin_days = config.deletion.bin_days
        self._lifecycle = lifecycle
        self._prompt_writes = prompt_writes
        self._locksmith = locksmith
        self._clock = clock

    async def show(self, slug: str) -> Contents:
        """The album and its visible images. Raises UnknownAlbum, GoneAlbum."""
        album = remembered(await self._rows.get(slug) if slugs.is_slug(slug) else None)
        return contents(album, await self._rows.images(album.images), self._clock())

    # --- creating ---------------------------------------------------------------------------------------------------

    async def create(self, options: AlbumOptions, client: Client) -> CreatedAlbum:
        """A new album, durable on return. It counts as an upload, unless it is the answer to an Idempotency-Key again.

        Raises InvalidField (no images, or some that can't be shown), TooManyImages, InvalidExpiry, Busy, Draining,
        RateLimited, ProofRequired, and the errors of an IdempotencyKey.
        """
        self._admission.require_open()
        options = self._rules.check_options(options)
        key = options.idempotency_key
        first = None if key is None else await self._catalogue.idempotency.get(tokens.hash_secret(key))
        if key is not None and first is not None:
            return await self._replay(first, options, key, client)
        self._admission.begin_upload(client)
        lock = await self._lock(options.passphrase, client)
        now_s = int(self._clock())
        slug = slugs.mint(now_s)
        secret = tokens.generate_secret()
        token = tokens.generate_token() if key is None else tokens.derive_keyed_token(key, slug, secret)
        album = await self._with_contents(
            Album(
                slug=slug,
                images=options.images,
                token_hash=tokens.hash_secret(token),
                created_s=now_s,
                due_s=now_s,
                title=options.title,
                description=options.description,
                cover=options.cover,
                expires_s=None if options.expires_in_s is None else now_s + options.expires_in_s,
                access_key=None if client.access_key is None else client.access_key.id,
                lock=lock,
            ),
            added=options.images,
        )
        if key is None:
            await self._rows.add(album.album)
        else:
            record = IdempotencyRecord(tokens.hash_secret(key), slug, _fingerprint(options), now_s, secret)
            await self._rows.add(album.album, record)
        if lock is not None:
            await self._record_now()
        return CreatedAlbum(album, token)

    async def _lock(self, passphrase: str | None, client: Client) -> str | None:
        return None if passphrase is None else await self._locksmith.lock(passphrase, client)

    async def _replay(self, first: IdempotencyRecord, options: AlbumOptions, key: str, client: Client) -> CreatedAlbum:
        if first.fingerprint != _fingerprint(options):
            raise _reused()
        try:
            contents = await self.show(first.slug)
        except UnknownAlbum as fault:
            raise GoneAlbum(
                "The album created with this Idempotency-Key is no longer available.", texts=GoneAlbum.texts
            ) from fault
        await self._require_same_passphrase(contents.album, options, client)
        return CreatedAlbum(contents, tokens.derive_keyed_token(key, first.slug, first.secret))

    async def _require_same_passphrase(self, album: Album, options: AlbumOptions, client: Client) -> None:
        """No record has the passphrase. Raises IdempotencyKeyReused if it doesn't open the first answer's album."""
        if options.passphrase is None:
            return None
        try:
            if album.lock is not None:
                return await self._locksmith.require(options.passphrase, album.slug, album.lock, client)
        except WrongPassphrase:
            pass
        raise _reused()

    async def _with_contents(self, album: Album, *, added: tuple[str, ...]) -> Contents:
        """The album with the images that are left, and with the time at which it is due.

        Erased images leave it; expired ones stay, because their owners may restore them. Raises UnavailableImages when
        some of `added` can't be shown, TooManyImages, GoneAlbum when no image is left.
        """
        images, now_s = await self._rows.images(album.images), self._clock()
        visible = visible_images(images, now_s)
        if missing := set(added) - {image.slug for image in visible}:
            named = [slug for slug in added if slug in missing]
            raise UnavailableImages(
                f"{len(named)} of these images can't be added because they don't exist or are no longer available: "
                f"{', '.join(named[:5])}{' …' if len(named) > 5 else ''}.",
                actual=len(named),
            )
        if not visible:
            raise GoneAlbum("The album has no images left. Add some first, or create a new album.")
        kept = self._rules.check_slugs([image.slug for image in images])
        cover = album.cover if album.cover in kept else None
        return Contents(replace(album, images=kept, cover=cover, due_s=end_of(album.expires_s, visible)), visible)

    # --- changing -------------------------------------------------------------------------------------------------

    async def owned(self, slug: str, token: Proof) -> Album:
        """The album, ended or not, for the holder of its token or key.

        Raises UnknownAlbum, GoneAlbum, MissingToken, WrongToken, KeyScope.
        """
        album = remembered(await self._rows.get(slug) if slugs.is_slug(slug) else None)
        if album.erased:
            raise GoneAlbum("This album can no longer be restored.")
        if not token:
            raise MissingToken(
                "Send the delete token you received when the album was created: Authorization: Bearer <token>."
            )
        check_token(token, album.token_hash, album.access_key)
        return album

    async def ending(self, slug: str) -> tuple[Ending | None, int | None]:
        """How an album ended, and until which unix second it can be restored.

        None when it can't be, or only undone for the seconds after a deletion without the bin.
        """
        album = await self._rows.get(slug)
        if album is None:
            return None, None
        until_s = restorable_until_s(album, self._clock())
        return album.ended or Ending.EXPIRED, without_undo(until_s, album.ended, album.ended_s)

    async def restorable_until_s(self, slug: str, token: Proof) -> int | None:
        """Until which unix second the holder of the token can restore the album. Raises as `owned` does."""
        return restorable_until_s(await self.owned(slug, token), self._clock())

    async def change(
        self,
        slug: str,
        token: Proof,
        changes: AlbumChanges,
        *,
        client: Client = THIS_HOST,
        only_versions: AllowedVersions = None,
    ) -> Contents:
        """The changed album. A new expiry restores an expired one while its row is whole.

        Raises as `owned` does, InvalidField, InvalidExpiry, TooManyImages, VersionMismatch unless the album has one of
        `only_versions`, and GoneAlbum when it has ended, which says until when it can be restored.
        """
        before = await self.owned(slug, token)
        checked, passphrase = self._rules.check_changes(changes, self._clock()), changes.passphrase
        is_relocked = not isinstance(passphrase, Unchanged)
        lock = None if isinstance(passphrase, Unchanged) else await self._lock(passphrase, client)

        async def change_row() -> Contents:
            album = await self.owned(slug, token)
            require_version(album.version, only_versions)
            applied = apply(album, checked, self._clock())
            relocked = replace(applied, lock=lock) if is_relocked else applied
            changed = await self._with_contents(relocked, added=checked.add)
            await self._rows.change(changed.album)
            return changed

        changed = await retry_on_conflict(change_row)
        if before.ended is not None or is_relocked:
            await self._record_now()
        return changed

    async def delete(
        self, slug: str, token: Proof, *, to_bin: bool = False, only_versions: AllowedVersions = None
    ) -> Album:
        """End the album: 410 from now on; its images stay. It can be restored for the undo time, or the bin's days.

        Deleting twice is fine; the earlier time counts, so that one in the bin is erased by a deletion without the bin.
        Raises as `owned` does, and VersionMismatch unless the album has one of `only_versions`.
        """

        async def end_row() -> Album:
            album, now_s = await self.owned(slug, token), int(self._clock())
            require_version(album.version, only_versions)
            erase_after_s = now_s + undo_or_bin_s(self._bin_days, to_bin=to_bin)
            if album.erase_after_s is not None:  # nothing keeps it for longer than an earlier end did
                erase_after_s = min(erase_after_s, album.erase_after_s)
            if album.ended is Ending.DELETED and erase_after_s == album.erase_after_s:
                return album
            return await self._end(album, now_s, erase_after_s=erase_after_s)

        return await retry_on_conflict(end_row)

    async def take_down(self, slug: str) -> None:
        """End the album for good, without its token: nobody can undo it. Its images stay.

        Raises UnknownAlbum, GoneAlbum (already).
        """

        async def end_row() -> Album:
            album, now_s = remembered(await self._rows.get(slug)), int(self._clock())
            if album.erased or (album.ended is Ending.DELETED and now_s > (album.erase_after_s or 0)):
                raise GoneAlbum("This album is no longer available.")
            return await self._end(album, now_s, erase_after_s=NO_UNDO_S)

        await retry_on_conflict(end_row)

    async def _end(self, album: Album, now_s: int, *, erase_after_s: int) -> Album:
        """Raises Conflict when the row changed meanwhile."""
        ended = replace(
            album, ended=Ending.DELETED, ended_s=now_s, erase_after_s=erase_after_s, version=album.version + 1
        )
        await self._rows.change(ended)
        await self._record_now()
        return ended

    async def _record_now(self) -> None:
        """Tell the store how albums ended, are back, or are locked, so that a rebuild knows."""
        await self._prompt_writes.attempt(self._lifecycle.sync_records)


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        "This Idempotency-Key was used with other images or fields. Use a new key for a new album."
    )


def _fingerprint(options: AlbumOptions) -> str:
    parts: list[object] = ["album", options.images, options.title, options.expires_in_s]
    if options.description is not None or options.cover is not None:  # without them, as older releases recorded it
        parts += [options.description, options.cover]
    parts += ["passphrase"] * (options.passphrase is not None)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
