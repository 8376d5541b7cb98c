"""Whether the file is whole and its rows make sense, told in words."""

import sqlite3

from appliance.catalogue import statements as sql
from appliance.catalogue.migrations import APPLICATION_ID

MOST_TOLD = 20
_INVARIANTS = (
    (sql.HALF_ENDED, "has only some of the marks of an ended image"),
    (sql.ERASING_ALIVE, "is being erased though it has not ended"),
    (sql.IMPOSSIBLE_FACTS, "has a size, version or place that can't be"),
    (sql.BURIED_ALIVE, "has both a row and a tombstone"),
)


def problems(connection: sqlite3.Connection) -> list[str]:
    """A line for each problem, none when all is well; walks the whole file."""
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        return ["The file is not a catalogue of this appliance."]
    try:
        damage = [line for (line,) in connection.execute(f"PRAGMA quick_check({MOST_TOLD})").fetchall() if line != "ok"]
    except sqlite3.DatabaseError as error:
        damage = [str(error)]
    if damage:
        return [f"The file is damaged: {line}" for line in damage]
    if foreign := connection.execute(sql.FOREIGN_SCHEMA).fetchall():
        return [
            f"The file has a {kind} {name!r:.80}, which no release of this appliance makes." for kind, name in foreign
        ]
    return [
        f"Image {slug} {what}."
        for statement, what in _INVARIANTS
        for (slug,) in connection.execute(statement, {"limit": MOST_TOLD}).fetchall()
    ]
