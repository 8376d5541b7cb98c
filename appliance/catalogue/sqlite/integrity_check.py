"""Checks that the file is whole and that its rows make sense."""

import sqlite3

from appliance.catalogue.sql import invariants
from appliance.catalogue.sql.invariants import MAX_LINES
from appliance.catalogue.sqlite import file_statements as sql
from appliance.catalogue.sqlite.change_log import file_log
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
    return _foreign_parts(connection) or invariants.problems(connection)


def _foreign_parts(connection: sqlite3.Connection) -> list[str]:
    """A sentence for each part that is none of a catalogue; the log of a copy may be there, word for word."""
    return [
        f"The file has a {kind} {name!r:.80}, which no release of this appliance makes."
        for kind, name, text in connection.execute(sql.MORE_THAN_ROWS)
        if text not in file_log().expected
    ][:MAX_LINES]
