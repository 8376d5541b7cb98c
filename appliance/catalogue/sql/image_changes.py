"""Changes to the rows of images: functions for the writing thread. Each does all of its change or raises."""

import json
from collections.abc import Sequence
from dataclasses import replace

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.albums import append_image
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.due_records import enqueue_record
from appliance.catalogue.sql.idempotency import add_record
from appliance.catalogue.sql.invites import count_guest_image
from appliance.catalogue.sql.keys import charge, give_back
from appliance.catalogue.sql.lock_mark import mark_if_closed
from appliance.catalogue.sql.node_statements import ADD_REVISION, REMOVE_REVISION
from appliance.catalogue.sql.outbox import ONE_ROUND, TWO_ROUNDS
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.rows import ImageRow, image_row_of, image_row_values, images_of, packed
from appliance.catalogue.sql.uploads import finish_upload
from appliance.catalogue.values import MAX_BATCH, Unchanged
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.errors import Conflict, GoneImage, InvalidField, UnknownImage
from appliance.domain.image_locks import record_of
from appliance.domain.model import Ending, IdempotencyRecord, Image, Location
from appliance.domain.resumable_uploads import Upload


def add(
    connection: Connection,
    image: Image,
    idempotency: IdempotencyRecord | None,
    *,
    sidecar_due: bool,
    upload: Upload | None,
    upload_kept_until_s: int,
    max_album_images: int,
) -> Outcome[None]:
    if upload is not None:
        finish_upload(connection, upload, upload_kept_until_s)
    if connection.execute(sql.TOMBSTONE, {"slug": image.slug}).fetchone():
        raise Conflict("The generated image link was used before. Try again.")
    charge(connection, image)
    row = ImageRow(image, prewarmed=False, sidecar_due=sidecar_due, erasing=False)
    if connection.execute(sql.ADD_IMAGE, image_row_values(row)).rowcount != 1:
        raise Conflict("The generated image link is already in use. Try again.")
    add_record(connection, idempotency)
    mark_if_closed(connection, image)
    album = count_guest_image(connection, image)
    if album is None:
        return Outcome(None, {image.slug: image})
    append_image(connection, album, image, max_album_images)
    return Outcome(None, {image.slug: image}, stale={album: TWO_ROUNDS})


def change(
    connection: Connection,
    slug: str,
    *,
    version: int,
    title: str | Unchanged | None,
    alt: str | Unchanged | None,
    expires_s: int | Unchanged,
    lock: str | Unchanged | None,
    one_view: bool | Unchanged,
) -> Outcome[Image]:
    row = _require_version(connection, slug, version)
    image = row.image
    changed = replace(
        image,
        title=image.title if isinstance(title, Unchanged) else title,
        alt=image.alt if isinstance(alt, Unchanged) else alt,
        expires_s=image.expires_s if isinstance(expires_s, Unchanged) else expires_s,
        lock=image.lock if isinstance(lock, Unchanged) else lock,
        one_view=image.one_view if isinstance(one_view, Unchanged) else one_view,
        viewing=image.viewing if isinstance(one_view, Unchanged) else None,
        viewing_s=image.viewing_s if isinstance(one_view, Unchanged) else None,
    )
    mark_if_closed(connection, changed)
    outcome = _update(connection, replace(row, image=changed, sidecar_due=True))
    if (changed.lock, changed.one_view) != (image.lock, image.one_view):
        enqueue_record(connection, record_of(outcome.value))
    return outcome


def begin_view(
    connection: Connection, slug: str, *, version: int, viewing: str, now_s: int, expires_s: int
) -> Outcome[Image]:
    row = _require_version(connection, slug, version)
    viewed = replace(row.image, viewing=viewing, viewing_s=now_s, expires_s=min(row.image.expires_s, expires_s))
    return _update(connection, replace(row, image=viewed, sidecar_due=True))


def revise(connection: Connection, image: Image, *, is_replaced: bool) -> Outcome[Image]:
    row = _require_version(connection, image.slug, image.version)
    location = Location.SPOOL if is_replaced else row.image.location
    is_shown_alike = image.facts.shows_like(row.image.facts)
    revised = replace(
        row.image,
        facts=image.facts,
        bytes=image.bytes,
        sha256=image.sha256,
        private_data=image.private_data,
        content_credentials=image.content_credentials,
        location=location,
        node=image.node if is_replaced else row.image.node,
    )
    give_back(connection, replace(image, bytes=row.image.bytes - image.bytes), images=0)
    due = replace(row, image=revised, sidecar_due=True, prewarmed=row.prewarmed and is_shown_alike)
    outcome = _update(connection, due, sql.REVISE)
    if is_shown_alike and image.sha256 == row.image.sha256:
        return replace(outcome, stale={})
    values = {"slug": image.slug, "version": outcome.value.version, "renews": int(not is_shown_alike)}
    connection.execute(ADD_REVISION, values)
    return outcome


def mark_shipped(connection: Connection, slug: str, sha256: str, *, may_be_restorable: bool) -> Outcome[bool]:
    statement = sql.MARK_RESTORABLE_SHIPPED if may_be_restorable else sql.MARK_SHIPPED
    shipped = images_of(connection.execute(statement, {"slug": slug, "sha256": packed(sha256)}))
    return Outcome(bool(shipped), {slug: shipped[0]} if shipped else {})


def claim(connection: Connection, slugs: Sequence[str], node: str) -> Outcome[None]:
    connection.execute(sql.CLAIM, {"slugs": _batch(slugs), "node": node})
    return Outcome(None, dict.fromkeys(slugs))


def mark_original_only(connection: Connection, slug: str, reason: str) -> Outcome[None]:
    row = _find_living(connection, slug)
    if row is None or row.image.original_only is not None:
        return Outcome(None)
    return _mark(connection, row, replace(row.image, facts=replace(row.image.facts, refusal=reason)))


def mark_still(connection: Connection, slug: str, reason: str) -> Outcome[None]:
    row = _find_living(connection, slug)
    if row is None or row.image.still is not None:
        return Outcome(None)
    return _mark(connection, row, replace(row.image, facts=replace(row.image.facts, still=reason)))


def mark_prewarmed(connection: Connection, slugs: Sequence[str]) -> Outcome[None]:
    connection.execute(sql.MARK_PREWARMED, {"slugs": _batch(slugs)})
    return Outcome(None)


def mark_sidecar_written(connection: Connection, slug: str, version: int) -> Outcome[bool]:
    done = connection.execute(sql.MARK_SIDECAR_WRITTEN, {"slug": slug, "version": version})
    return Outcome(done.rowcount == 1)


def expire(connection: Connection, slugs: Sequence[str], now_s: int, erase_after_s: int) -> Outcome[list[Image]]:
    values = {"slugs": _batch(slugs), "now_s": now_s, "erase_after_s": erase_after_s}
    expired = images_of(connection.execute(sql.EXPIRE, values))
    ended = [image.slug for image in expired]
    # One round is enough: responses on their way to a cache carry the expiry.
    return Outcome(expired, dict.fromkeys(ended), dict.fromkeys(ended, ONE_ROUND))


def end(
    connection: Connection, slug: str, now_s: int, erase_after_s: int, *, version: int | None, for_good: bool
) -> Outcome[Image]:
    row = _require_row(connection, slug)
    image = row.image
    if version not in (None, image.version):
        raise Conflict()
    if image.erase_after_s is not None:  # nothing keeps the bytes for longer than an earlier end did
        erase_after_s = min(erase_after_s, image.erase_after_s)
    is_sooner = erase_after_s != image.erase_after_s
    if image.ended is Ending.DELETED and (row.erasing or not (for_good or is_sooner)):
        return Outcome(image)
    ended = replace(image, ended=Ending.DELETED, ended_s=now_s, erase_after_s=erase_after_s)
    outcome = _update(connection, replace(row, image=ended, erasing=row.erasing or for_good))
    _enqueue_tombstone(connection, outcome.value)
    return outcome


def restore(connection: Connection, slug: str, now_s: int, expires_s: int | None) -> Outcome[Image]:
    row = _require_row(connection, slug)
    image = row.image
    if image.ended is None:
        raise Conflict("The image is neither expired nor deleted, so there is nothing to restore.")
    if row.erasing:
        raise _gone(image.ended)
    expires_s = image.expires_s if expires_s is None else expires_s
    if expires_s <= now_s:
        raise Conflict("The image has expired. Choose a later expiry to restore it.")
    restored = replace(image, expires_s=expires_s, ended=None, ended_s=None, erase_after_s=None)
    # Its renditions left the caches when it ended.
    outcome = _update(connection, replace(row, image=restored, prewarmed=False, sidecar_due=True))
    if image.ended is Ending.DELETED:
        _enqueue_tombstone(connection, outcome.value)
    return outcome


def mark_tombstone_written(connection: Connection, slug: str, version: int | None) -> Outcome[bool]:
    done = connection.execute(sql.MARK_TOMBSTONE_WRITTEN, {"slug": slug, "version": version})
    return Outcome(done.rowcount == 1)


def begin_erase(connection: Connection, slug: str, now_s: int) -> Outcome[bool]:
    return Outcome(connection.execute(sql.BEGIN_ERASE, {"slug": slug, "now_s": now_s}).rowcount == 1)


def confirm_erased(connection: Connection, slug: str) -> Outcome[None]:
    row = _find_row(connection, slug)
    if row is None:
        return Outcome(None)
    image = row.image
    if image.ended is None or not row.erasing:
        raise Conflict(f"Image {slug} is not being erased, so its row is kept.")
    values = {"slug": slug, "ended": image.ended.value, "ended_s": image.ended_s}
    connection.execute(sql.ADD_TOMBSTONE, values)
    connection.execute(sql.REMOVE_IMAGE, {"slug": slug})
    connection.execute(REMOVE_REVISION, {"slug": slug})
    if image.is_closed:
        enqueue_record(connection, AccessRecord(RecordKind.LOCK, slug, image.version + 1, None))
    give_back(connection, image)
    return Outcome(None, {slug: None})


def forget_tombstones(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    rows = connection.execute(sql.FORGET_TOMBSTONES, {"before_s": before_s, "limit": limit}).fetchall()
    return Outcome(len(rows), dict.fromkeys(slug for (slug,) in rows))


def _batch(slugs: Sequence[str]) -> str:
    """The slugs as the statements take them. Raises InvalidField."""
    if len(slugs) > MAX_BATCH:
        raise InvalidField("Too many images at once.", limit=MAX_BATCH, actual=len(slugs))
    return json.dumps(slugs)


def _find_row(connection: Connection, slug: str) -> ImageRow | None:
    row = connection.execute(sql.IMAGE_ROW, {"slug": slug}).fetchone()
    return None if row is None else image_row_of(row)


def _find_living(connection: Connection, slug: str) -> ImageRow | None:
    row = _find_row(connection, slug)
    return None if row is None or row.image.ended is not None else row


def _require_row(connection: Connection, slug: str) -> ImageRow:
    """Raises GoneImage (it has a tombstone), UnknownImage."""
    row = _find_row(connection, slug)
    if row is not None:
        return row
    tombstone = connection.execute(sql.TOMBSTONE, {"slug": slug}).fetchone()
    if tombstone is not None:
        raise _gone(Ending(tombstone[1]))
    raise UnknownImage()


def _require_version(connection: Connection, slug: str, version: int) -> ImageRow:
    """The living image's row. Raises Conflict if it has another version, GoneImage, UnknownImage."""
    row = _require_row(connection, slug)
    if row.image.ended is not None:
        raise _gone(row.image.ended)
    if row.image.version != version:
        raise Conflict()
    return row


def _mark(connection: Connection, row: ImageRow, image: Image) -> Outcome[None]:
    updated = _update(connection, replace(row, image=image, sidecar_due=True))
    return Outcome(None, updated.rows, updated.stale)


def _update(connection: Connection, row: ImageRow, statement: str = sql.CHANGE) -> Outcome[Image]:
    """Write the row as the next version. Shared caches purge the image twice."""
    image = replace(row.image, version=row.image.version + 1)
    connection.execute(statement, image_row_values(replace(row, image=image)))
    return Outcome(image, {image.slug: image}, {image.slug: TWO_ROUNDS})


def _enqueue_tombstone(connection: Connection, image: Image) -> None:
    connection.execute(sql.ENQUEUE_TOMBSTONE, {"slug": image.slug, "version": image.version})


def _gone(ended: Ending) -> GoneImage:
    how = "has expired" if ended is Ending.EXPIRED else "was deleted"
    return GoneImage(f"This image {how}. It can't be changed or restored this way.")
