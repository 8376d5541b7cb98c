"""Recounts what was uploaded with each access key and by each invite, from the rows of a whole file."""

import sqlite3
from collections import Counter
from dataclasses import replace

from appliance.catalogue.sql.keys import set_usage
from appliance.catalogue.sqlite import file_statements as sql
from appliance.domain.access_keys import KeyUsage, day_of


def recount_keys(connection: sqlite3.Connection) -> None:
    """Recount, from the rows of images, what each key has on the host and what it uploaded on the last day."""
    usages: dict[str, KeyUsage] = {}
    for key_id, size_bytes, created_s in connection.execute(sql.IMAGES_OF_KEYS):
        before, day = usages.get(key_id, KeyUsage()), day_of(created_s)
        if day >= before.day:
            usages[key_id] = before.on(day).with_image(size_bytes)
        else:
            usages[key_id] = replace(before, images=before.images + 1, bytes=before.bytes + size_bytes)
    connection.execute("BEGIN")
    connection.execute(sql.FORGET_USAGE)
    for key_id, usage in usages.items():
        set_usage(connection, key_id, usage)
    connection.execute("COMMIT")


def recount_invites(connection: sqlite3.Connection) -> None:
    """Bring what was added by each invite up to the rows of images. Those that were erased stay counted."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for invite_id, size_bytes in connection.execute(sql.IMAGES_BY_INVITE):
        counts[invite_id] += 1
        sizes[invite_id] += size_bytes
    connection.execute("BEGIN")
    for invite_id, images in counts.items():
        connection.execute(sql.RECOUNT_INVITE, {"id": invite_id, "images": images, "bytes": sizes[invite_id]})
    connection.execute("COMMIT")
