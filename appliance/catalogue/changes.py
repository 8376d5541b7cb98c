"""What can be done to the rows: functions for the writing thread, each of which does all or raises."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from appliance.catalogue import statements as sql
from appliance.catalogue.purges import ONCE, TWICE
from appliance.catalogue.rows import Held, held_of, held_values, idempotency_values, images_of
from appliance.catalogue.uploads import finish_upload
from appliance.catalogue.writer import Outcome
from appliance.domain.errors import Conflict, GoneImage, IdempotencyKeyInUse, InvalidField, UnknownImage
from appliance.domain.model import Ending, IdempotencyRecord, Image, Upload

MOST_AT_ONCE = 1000  # rows in one operation, so that no other write waits long behind it


class Unchanged(Enum):
    """Leave the field as it is; None means to clear it."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
Connection = sqlite3.Connection


def add(
    connection: Connection,
    image: Image,
    idempotency: IdempotencyRecord | None,
    *,
    sidecar_due: bool,
    upload: Upload | None,
    upload_kept_until_s: int,
) -> Outcome[None]:
    if upload is not None:
        finish_upload(connection, upload.id_hash, upload_kept_until_s)
    if connection.execute(sql.TOMBSTONE, {"slug": image.slug}).fetchone():
        raise Conflict("The generated image link was used before. Try again.")
    held = Held(image, prewarmed=False, sidecar_due=sidecar_due, erasing=False)
    try:
        connection.execute(sql.ADD_IMAGE, held_values(held))
    except sqlite3.IntegrityError as error:
        raise Conflict("The generated image link is already in use. Try again.") from error
    if idempotency is not None:
        try:
            connection.execute(sql.ADD_IDEMPOTENCY, idempotency_values(idempotency))
        except sqlite3.IntegrityError as error:
            raise IdempotencyKeyInUse(
                "Another upload with the same Idempotency-Key has finished. Repeat the request to get its response."
            ) from error
    return Outcome(None, {image.slug: image})


def change(
    connection: Connection,
    slug: str,
    *,
    version: int,
    title: str | Unchanged | None,
    alt: str | Unchanged | None,
    expires_s: int | Unchanged,
) -> Outcome[Image]:
    held = _held(connection, slug)
    image = held.image
    if image.ended is not None:
        raise _gone(image.ended)
    if image.version != version:
        raise Conflict()
    changed = replace(
        image,
        title=image.title if isinstance(title, Unchanged) else title,
        alt=image.alt if isinstance(alt, Unchanged) else alt,
        expires_s=image.expires_s if isinstance(expires_s, Unchanged) else expires_s,
        version=version + 1,
    )
    return _keep(connection, replace(held, image=changed, sidecar_due=True))


def mark_shipped(connection: Connection, slug: str) -> Outcome[bool]:
    shipped = images_of(connection.execute(sql.MARK_SHIPPED, {"slug": slug}))
    return Outcome(bool(shipped), {slug: shipped[0]} if shipped else {})


def mark_original_only(connection: Connection, slug: str, reason: str) -> Outcome[None]:
    row = connection.execute(sql.HELD, {"slug": slug}).fetchone()
    if row is None:
        return Outcome(None)
    held = held_of(row)
    if held.image.ended is not None or held.image.original_only is not None:
        return Outcome(None)
    image = replace(held.image, original_only=reason, version=held.image.version + 1)
    kept = _keep(connection, replace(held, image=image, sidecar_due=True))
    return Outcome(None, kept.rows, kept.stale)


def mark_still(connection: Connection, slug: str, reason: str) -> Outcome[None]:
    row = connection.execute(sql.HELD, {"slug": slug}).fetchone()
    held = None if row is None else held_of(row)
    if held is None or held.image.ended is not None or held.image.still is not None:
        return Outcome(None)
    image = replace(held.image, still=reason, version=held.image.version + 1)
    kept = _keep(connection, replace(held, image=image, sidecar_due=True))
    return Outcome(None, kept.rows, kept.stale)


def mark_prewarmed(connection: Connection, slugs: Sequence[str]) -> Outcome[None]:
    connection.execute(sql.MARK_PREWARMED, {"slugs": json.dumps(at_most_1000(slugs))})
    return Outcome(None)


def mark_sidecar_written(connection: Connection, slug: str, version: int) -> Outcome[bool]:
    done = connection.execute(sql.MARK_SIDECAR_WRITTEN, {"slug": slug, "version": version})
    return Outcome(done.rowcount == 1)


def expire(connection: Connection, slugs: Sequence[str], now_s: int, erase_after_s: int) -> Outcome[list[Image]]:
    values = {"slugs": json.dumps(at_most_1000(slugs)), "now_s": now_s, "erase_after_s": erase_after_s}
    expired = images_of(connection.execute(sql.EXPIRE, values))
    ended = [image.slug for image in expired]
    return Outcome(expired, dict.fromkeys(ended), dict.fromkeys(ended, ONCE))  # what is on its way says when it ends


def end(connection: Connection, slug: str, now_s: int, erase_after_s: int, *, for_good: bool) -> Outcome[Image]:
    held = _held(connection, slug)
    image = held.image
    if image.ended is Ending.DELETED and (held.erasing or not for_good):
        return Outcome(image)
    if image.erase_after_s is not None:  # an owner's word never makes the bytes stay longer than expiry had them
        erase_after_s = min(erase_after_s, image.erase_after_s)
    ended = replace(image, ended=Ending.DELETED, ended_s=now_s, erase_after_s=erase_after_s, version=image.version + 1)
    return _keep(connection, replace(held, image=ended, erasing=held.erasing or for_good))


def restore(connection: Connection, slug: str, now_s: int, expires_s: int | None) -> Outcome[Image]:
    held = _held(connection, slug)
    image = held.image
    if image.ended is None:
        raise Conflict("The image is neither expired nor deleted, so there is nothing to restore.")
    if held.erasing:
        raise _gone(image.ended)
    expires_s = image.expires_s if expires_s is None else expires_s
    if expires_s <= now_s:
        raise Conflict("The image has expired. Send a later expiry to restore it.")
    alive = replace(image, expires_s=expires_s, ended=None, ended_s=None, erase_after_s=None, version=image.version + 1)
    # Its renditions left the caches when it ended.
    return _keep(connection, replace(held, image=alive, prewarmed=False, sidecar_due=True))


def begin_erase(connection: Connection, slug: str, now_s: int) -> Outcome[bool]:
    return Outcome(connection.execute(sql.BEGIN_ERASE, {"slug": slug, "now_s": now_s}).rowcount == 1)


def confirm_erased(connection: Connection, slug: str) -> Outcome[None]:
    row = connection.execute(sql.HELD, {"slug": slug}).fetchone()
    if row is None:
        return Outcome(None)
    held = held_of(row)
    image = held.image
    if image.ended is None or not held.erasing:
        raise Conflict(f"Image {slug} is not being erased, so its row is kept.")
    values = {"slug": slug, "ended": image.ended.value, "ended_s": image.ended_s}
    connection.execute(sql.ADD_TOMBSTONE, values)
    connection.execute(sql.REMOVE_IMAGE, {"slug": slug})
    return Outcome(None, {slug: None})


def forget_tombstones(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    rows = connection.execute(sql.FORGET_TOMBSTONES, {"before_s": before_s, "limit": limit}).fetchall()
    return Outcome(len(rows), dict.fromkeys(slug for (slug,) in rows))


def forget_idempotency(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_IDEMPOTENCY, {"before_s": before_s, "limit": limit}).rowcount)


def set_note(connection: Connection, name: str, value: str) -> Outcome[None]:
    connection.execute(sql.SET_NOTE, {"name": name, "value": value})
    return Outcome(None)


def at_most_1000(slugs: Sequence[str]) -> list[str]:
    if len(slugs) > MOST_AT_ONCE:
        raise InvalidField("Too many images at once.", limit=MOST_AT_ONCE, actual=len(slugs))
    return list(slugs)


def _held(connection: Connection, slug: str) -> Held:
    row = connection.execute(sql.HELD, {"slug": slug}).fetchone()
    if row is not None:
        return held_of(row)
    tombstone = connection.execute(sql.TOMBSTONE, {"slug": slug}).fetchone()
    if tombstone is not None:
        raise _gone(Ending(tombstone[1]))
    raise UnknownImage()


def _keep(connection: Connection, held: Held) -> Outcome[Image]:
    connection.execute(sql.CHANGE, held_values(held))
    slug = held.image.slug
    return Outcome(held.image, {slug: held.image}, {slug: TWICE})


def _gone(ended: Ending) -> GoneImage:
    how = "has expired" if ended is Ending.EXPIRED else "was deleted"
    return GoneImage(f"This image {how}. It can't be changed or restored this way.")
