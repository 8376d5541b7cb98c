"""Generated rows of a catalogue, as half a million uploads a day would leave them, one by one or in bulk."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.rows import rebuilt_image_values
from appliance.catalogue.sqlite.connections import open_writer
from appliance.domain.model import Image, Location
from appliance.domain.renditions import Facts
from appliance.domain.slugs import RANDOM_CHARS, mint, shard

A_MINUTE = 350  # uploads a minute, at half a million a day
BYTES = 64
DAY_S = 86_400
KEPT_DAYS = 400
SHORTER = 8  # one of so many asks for an earlier end, on any day before, and lands anywhere in the index of expiry
LOAD_CACHE_KIB = 2_000_000
READ_BYTES = 1 << 20
_NUMBERS = "WITH RECURSIVE numbers (n) AS (VALUES (:first) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :last)"
_MADE = {
    "slug": f":head || substr(hex(randomblob(7)), 1, {RANDOM_CHARS})",
    "filename": "format('IMG_%07d.jpg', n)",
    "sha256": "randomblob(32)",
    "token_hash": "randomblob(32)",
    "expires_s": f"iif(n % {SHORTER}, :expires_s, :created_s + {DAY_S} * (1 + abs(random() % {KEPT_DAYS})))",
}


def images(count: int, from_s: int, location: Location = Location.STORE) -> Iterator[Image]:
    """Distinct images, the first of them made at `from_s`."""
    for number in range(count):
        created_s = created_at(number, from_s)
        slug = mint(created_s)
        digest = hashlib.sha256(slug.encode()).hexdigest()
        yield Image(
            slug=slug,
            filename=f"IMG_{number:07}.jpg",
            facts=Facts("image/jpeg", 4000, 3000),
            bytes=BYTES,
            sha256=digest,
            created_s=created_s,
            expires_s=created_s + KEPT_DAYS * DAY_S,
            token_hash=digest[::-1],
            location=location,
        )


def created_at(number: int, from_s: int) -> int:
    """The unix second of the upload of that number."""
    return from_s + number * 60 // A_MINUTE


def load(path: Path, first: int, last: int, from_s: int) -> None:
    """Put the uploads of these numbers into the file that nobody else has open, which is made if it is not there.

    The schema is the catalogue's own. Without journal and fsync, for what breaks here is made again.
    """
    connection = open_writer(path)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{LOAD_CACHE_KIB}")
        connection.execute("BEGIN")
        add_rows(connection, first, last, from_s)
        connection.execute("COMMIT")
    finally:
        connection.close()


def add_rows(connection: Connection, first: int, last: int, from_s: int) -> None:
    """Put the uploads of these numbers into a file, in the transaction of the caller."""
    for start in range(first, last, A_MINUTE):
        _load_a_minute(connection, start, min(start + A_MINUTE, last), created_at(start, from_s))


def _load_a_minute(connection: Connection, first: int, last: int, created_s: int) -> None:
    """Rows like those of `images`, made by SQLite itself: twelve times as fast."""
    [shape] = images(1, created_s)
    values = rebuilt_image_values(shape)
    columns = ", ".join(values)
    made = ", ".join(_MADE.get(name, f":{name}") for name in values)
    connection.execute(
        f"INSERT INTO images ({columns}) {_NUMBERS} SELECT {made} FROM numbers",
        {**values, "first": first, "last": last, "head": shard(created_s)},
    )


def forget(path: Path) -> None:
    """Let the operating system keep none of the file in memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def remember(path: Path) -> None:
    """Let the operating system have all of the file in memory, as far as that reaches."""
    with path.open("rb", buffering=0) as file:
        while file.read(READ_BYTES):
            pass
