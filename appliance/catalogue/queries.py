"""What can be asked of the rows: each function runs on a reading thread."""

import json
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalogue import statements as sql
from appliance.catalogue.rows import Row, idempotency_of, image_of, images_of, tombstone_of
from appliance.domain.model import IdempotencyRecord, Image

COUNTED_AT_MOST = 10_000
_BEYOND_ALL_SLUGS = "\x7f"
_END_OF_TIME_S = 2**62


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows wait for each job, counted no further than `COUNTED_AT_MOST`."""

    unshipped: int
    unwarmed: int
    sidecars_due: int
    erasable: int


def resolve(connection: sqlite3.Connection, slug: str) -> Row | None:
    row = connection.execute(sql.IMAGE, {"slug": slug}).fetchone()
    if row is not None:
        return image_of(row)
    row = connection.execute(sql.TOMBSTONE, {"slug": slug}).fetchone()
    return None if row is None else tombstone_of(row)


def walk(connection: sqlite3.Connection, statement: str, after: str, limit: int) -> list[Image]:
    return images_of(connection.execute(statement, {"after": after, "limit": limit}))


def unwarmed(connection: sqlite3.Connection, after: str, limit: int) -> list[Image]:
    before = after or _BEYOND_ALL_SLUGS
    return images_of(connection.execute(sql.UNWARMED, {"before": before, "limit": limit}))


def due(connection: sqlite3.Connection, now_s: int, limit: int) -> list[str]:
    return [slug for (slug,) in connection.execute(sql.DUE, {"now_s": now_s, "limit": limit}).fetchall()]


def erasable(connection: sqlite3.Connection, now_s: int, limit: int, skipped: int) -> list[Image]:
    return images_of(connection.execute(sql.ERASABLE, {"now_s": now_s, "limit": limit, "skipped": skipped}))


def idempotent(connection: sqlite3.Connection, packed_key: bytes | str) -> IdempotencyRecord | None:
    row = connection.execute(sql.IDEMPOTENT, {"key_hash": packed_key}).fetchone()
    return None if row is None else idempotency_of(row)


def known(connection: sqlite3.Connection, slugs: Sequence[str]) -> set[str]:
    return {slug for (slug,) in connection.execute(sql.KNOWN, {"slugs": json.dumps(slugs)}).fetchall()}


def buried(connection: sqlite3.Connection, slugs: Sequence[str]) -> set[str]:
    return {slug for (slug,) in connection.execute(sql.BURIED, {"slugs": json.dumps(slugs)}).fetchall()}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each kind."""

    images: int
    tombstones: int
    albums: int


def counts(connection: sqlite3.Connection) -> Counts:
    """Walks the file."""
    statements = (sql.COUNT_IMAGES, sql.COUNT_TOMBSTONES, sql.COUNT_ALBUMS)
    return Counts(*(int(connection.execute(statement).fetchone()[0]) for statement in statements))


def sample(connection: sqlite3.Connection, most: int) -> list[Image]:
    """Images from anywhere, no more than `most`; all of them where there are no more."""
    [last] = connection.execute(sql.LAST_ROWID).fetchone()
    places = range(1, (last or 0) + 1)
    chosen = places if len(places) <= most else sorted(random.sample(places, most))
    found = [images_of(connection.execute(sql.FROM_ROWID, {"rowid": rowid})) for rowid in chosen]
    return list({image.slug: image for images in found for image in images}.values())


def rows_of(connection: sqlite3.Connection, slugs: Sequence[str]) -> dict[str, Row]:
    found = {slug: resolve(connection, slug) for slug in slugs}
    return {slug: row for slug, row in found.items() if row is not None}


def note(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute(sql.NOTE, {"name": name}).fetchone()
    return None if row is None else str(row[0])


def newest_created_s(connection: sqlite3.Connection) -> int | None:
    return max((created_s for (created_s,) in connection.execute(sql.NEWEST).fetchall()), default=None)


def backlog(connection: sqlite3.Connection, now_s: int | None) -> Backlog:
    values = {"cap": COUNTED_AT_MOST, "now_s": _END_OF_TIME_S if now_s is None else now_s}

    def count(statement: str) -> int:
        return int(connection.execute(statement, values).fetchone()[0])

    return Backlog(
        unshipped=count(sql.COUNT_UNSHIPPED),
        unwarmed=count(sql.COUNT_UNWARMED),
        sidecars_due=count(sql.COUNT_SIDECARS_DUE),
        erasable=count(sql.COUNT_ERASABLE),
    )
