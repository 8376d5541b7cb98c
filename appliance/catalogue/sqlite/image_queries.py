"""Queries of the rows of images: each function runs on a reading thread."""

import json
import random
import sqlite3
from collections.abc import Sequence

from appliance.catalogue.sqlite import statements as sql
from appliance.catalogue.sqlite.rows import Row, image_of, images_of, tombstone_of
from appliance.catalogue.values import COUNT_LIMIT, Backlog, RowCounts
from appliance.domain.model import Image

_BEYOND_ALL_SLUGS = "\x7f"
_END_OF_TIME_S = 2**62


def resolve(connection: sqlite3.Connection, slug: str) -> Row | None:
    row = connection.execute(sql.IMAGE, {"slug": slug}).fetchone()
    if row is not None:
        return image_of(row)
    row = connection.execute(sql.TOMBSTONE, {"slug": slug}).fetchone()
    return None if row is None else tombstone_of(row)


def resolve_each(connection: sqlite3.Connection, slugs: Sequence[str]) -> dict[str, Row]:
    """Those of the slugs that are known."""
    found = {slug: resolve(connection, slug) for slug in slugs}
    return {slug: row for slug, row in found.items() if row is not None}


def walk(connection: sqlite3.Connection, statement: str, after: str, limit: int) -> list[Image]:
    return images_of(connection.execute(statement, {"after": after, "limit": limit}))


def unwarmed(connection: sqlite3.Connection, after: str, limit: int) -> list[Image]:
    before = after or _BEYOND_ALL_SLUGS
    return images_of(connection.execute(sql.UNWARMED, {"before": before, "limit": limit}))


def due(connection: sqlite3.Connection, now_s: int, limit: int) -> list[str]:
    return _slugs(connection.execute(sql.DUE, {"now_s": now_s, "limit": limit}))


def erasable(connection: sqlite3.Connection, now_s: int, limit: int, skipped: int) -> list[Image]:
    return images_of(connection.execute(sql.ERASABLE, {"now_s": now_s, "limit": limit, "skipped": skipped}))


def tombstones_due(connection: sqlite3.Connection, after: str, limit: int) -> list[str]:
    return _slugs(connection.execute(sql.TOMBSTONES_DUE, {"after": after, "limit": limit}))


def known(connection: sqlite3.Connection, slugs: Sequence[str]) -> set[str]:
    return set(_slugs(connection.execute(sql.KNOWN, {"slugs": json.dumps(slugs)})))


def tombstoned(connection: sqlite3.Connection, slugs: Sequence[str]) -> set[str]:
    return set(_slugs(connection.execute(sql.TOMBSTONED, {"slugs": json.dumps(slugs)})))


def count_rows(connection: sqlite3.Connection) -> RowCounts:
    """Walks the file."""
    statements = (sql.COUNT_IMAGES, sql.COUNT_TOMBSTONES, sql.COUNT_ALBUMS)
    return RowCounts(*(int(connection.execute(statement).fetchone()[0]) for statement in statements))


def sample(connection: sqlite3.Connection, max_images: int) -> list[Image]:
    """Images from anywhere in the file; all of them if there are no more than `max_images`."""
    [last] = connection.execute(sql.LAST_ROWID).fetchone()
    places = range(1, (last or 0) + 1)
    chosen = places if len(places) <= max_images else sorted(random.sample(places, max_images))
    found = [images_of(connection.execute(sql.FROM_ROWID, {"rowid": rowid})) for rowid in chosen]
    return list({image.slug: image for images in found for image in images}.values())


def newest_created_s(connection: sqlite3.Connection) -> int | None:
    return max((created_s for (created_s,) in connection.execute(sql.NEWEST).fetchall()), default=None)


def backlog(connection: sqlite3.Connection, now_s: int | None) -> Backlog:
    values = {"cap": COUNT_LIMIT, "now_s": _END_OF_TIME_S if now_s is None else now_s}

    def count(statement: str) -> int:
        return int(connection.execute(statement, values).fetchone()[0])

    return Backlog(
        unshipped=count(sql.COUNT_UNSHIPPED),
        unwarmed=count(sql.COUNT_UNWARMED),
        sidecars_due=count(sql.COUNT_SIDECARS_DUE),
        erasable=count(sql.COUNT_ERASABLE),
    )


def _slugs(cursor: sqlite3.Cursor) -> list[str]:
    return [slug for (slug,) in cursor.fetchall()]
