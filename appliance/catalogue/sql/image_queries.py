"""Queries of the rows of images: each function runs on a reading thread."""

import json
from collections.abc import Iterator, Mapping, Sequence

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection, Cursor
from appliance.catalogue.sql.node_statements import ERASED, REVISED
from appliance.catalogue.sql.rows import Row, image_of, images_of, tombstone_of
from appliance.catalogue.sql.unshipped_statements import (
    COUNT_UNSHIPPED,
    COUNT_UNSHIPPED_OF_NODE,
    NEXT_UNSHIPPED_NODE,
    UNSHIPPED,
)
from appliance.catalogue.values import COUNT_LIMIT, Backlog, Erasure, Revision, RowCounts
from appliance.domain.model import Image

_BEYOND_ALL_SLUGS = "\x7f"
_END_OF_TIME_S = 2**62


def resolve(connection: Connection, slug: str) -> Row | None:
    row = connection.execute(sql.IMAGE, {"slug": slug}).fetchone()
    if row is not None:
        return image_of(row)
    row = connection.execute(sql.TOMBSTONE, {"slug": slug}).fetchone()
    return None if row is None else tombstone_of(row)


def resolve_each(connection: Connection, slugs: Sequence[str]) -> dict[str, Row]:
    """Those of the slugs that are known."""
    found = {slug: resolve(connection, slug) for slug in slugs}
    return {slug: row for slug, row in found.items() if row is not None}


def walk(connection: Connection, statement: str, after: str, limit: int) -> list[Image]:
    return images_of(connection.execute(statement, {"after": after, "limit": limit}))


def unshipped(connection: Connection, after: Image | None, limit: int, node: str | None) -> list[Image]:
    """Node by node, because slugs are in order only within one."""
    found: list[Image] = []
    after_slug, first = ("", "") if after is None else (after.slug, after.node or "")
    for name in _unshipped_nodes(connection, first) if node is None else [node]:
        values = {"node": name, "after": after_slug, "limit": limit - len(found)}
        found += images_of(connection.execute(UNSHIPPED, values))
        if len(found) == limit:
            break
        after_slug = ""
    return found


def unwarmed(connection: Connection, after: str, limit: int) -> list[Image]:
    before = after or _BEYOND_ALL_SLUGS
    return images_of(connection.execute(sql.UNWARMED, {"before": before, "limit": limit}))


def due(connection: Connection, now_s: int, limit: int) -> list[str]:
    return _slugs(connection.execute(sql.DUE, {"now_s": now_s, "limit": limit}))


def erasable(connection: Connection, now_s: int, limit: int, skipped: int) -> list[Image]:
    return images_of(connection.execute(sql.ERASABLE, {"now_s": now_s, "limit": limit, "skipped": skipped}))


def tombstones_due(connection: Connection, after: str, limit: int) -> list[str]:
    return _slugs(connection.execute(sql.TOMBSTONES_DUE, {"after": after, "limit": limit}))


def erased(connection: Connection, since_s: int, after: str, limit: int) -> list[Erasure]:
    rows = connection.execute(ERASED, {"since_s": since_s, "after": after, "limit": limit})
    return [Erasure(*row) for row in rows]


def revised(connection: Connection, since_s: int, after: str, limit: int) -> list[Revision]:
    rows = connection.execute(REVISED, {"since_s": since_s, "after": after, "limit": limit})
    return [Revision(slug, revised_s, version, bool(renews)) for slug, revised_s, version, renews in rows]


def unshipped_by_node(connection: Connection) -> Mapping[str, int]:
    counts = {node: _count_unshipped(connection, node) for node in _unshipped_nodes(connection)}
    return {node: count for node, count in counts.items() if count}


def known(connection: Connection, slugs: Sequence[str]) -> set[str]:
    return set(_slugs(connection.execute(sql.KNOWN, {"slugs": json.dumps(slugs)})))


def tombstoned(connection: Connection, slugs: Sequence[str]) -> set[str]:
    return set(_slugs(connection.execute(sql.TOMBSTONED, {"slugs": json.dumps(slugs)})))


def count_rows(connection: Connection) -> RowCounts:
    """Walks the file."""
    statements = (sql.COUNT_IMAGES, sql.COUNT_TOMBSTONES, sql.COUNT_ALBUMS)
    return RowCounts(*(int(connection.execute(statement).fetchone()[0]) for statement in statements))


def newest_created_s(connection: Connection) -> int | None:
    return max((created_s for (created_s,) in connection.execute(sql.NEWEST).fetchall()), default=None)


def backlog(connection: Connection, now_s: int | None) -> Backlog:
    values = {"cap": COUNT_LIMIT, "now_s": _END_OF_TIME_S if now_s is None else now_s}

    def count(statement: str) -> int:
        return int(connection.execute(statement, values).fetchone()[0])

    return Backlog(
        unshipped=count(COUNT_UNSHIPPED),
        unwarmed=count(sql.COUNT_UNWARMED),
        sidecars_due=count(sql.COUNT_SIDECARS_DUE),
        erasable=count(sql.COUNT_ERASABLE),
    )


def _slugs(cursor: Cursor) -> list[str]:
    return [slug for (slug,) in cursor.fetchall()]


def _unshipped_nodes(connection: Connection, first: str = "") -> Iterator[str]:
    """`first`, and the nodes after it that have images that wait for the store; "" stands for none."""
    row: tuple[str] | None = (first,)
    while row is not None:
        yield row[0]
        row = connection.execute(NEXT_UNSHIPPED_NODE, {"node": row[0]}).fetchone()


def _count_unshipped(connection: Connection, node: str) -> int:
    return int(connection.execute(COUNT_UNSHIPPED_OF_NODE, {"node": node, "cap": COUNT_LIMIT}).fetchone()[0])
