"""Checks that the file is whole and that its rows make sense."""

import sqlite3

from appliance.catalogue.sql import invariants
from appliance.catalogue.sql.invariants import MAX_LINES
from appliance.catalogue.sqlite import file_statements as sql
from appliance.catalogue.sqlite.migrations import APPLICATION_ID


def problems(connection: sqlite3.Connection) -> list[str]:
    """A sentence for each problem. Reads the whole file."""
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        return ["The file is not a catalogue of this appliance."]
    try:
        damage = [line for (line,) in connection.execute(f"PRAGMA quick_check({MAX_LINES})").fetchall() if line != "ok"]
    except sqlite3.DatabaseError as error:
        damage = [str(error)]
    if damage:
        return [f"The file is damaged: {line}" for line in damage]
    if foreign := connection.execute(sql.FOREIGN_SCHEMA).fetchall():
        return [
            f"The file has a {kind} {name!r:.80}, which no release of this appliance makes." for kind, name in foreign
        ]
    return invariants.problems(connection)
