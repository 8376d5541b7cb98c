"""The statements that only a file is asked: they know its rowids and its schema."""
# ruff: noqa: S608  (only column names of this package are put into the text; values are always bound)

from appliance.catalogue.sql.rows import COLUMNS

_IMAGE = ", ".join(COLUMNS)
LAST_ROWID = "SELECT max(rowid) FROM images"
FROM_ROWID = f"SELECT {_IMAGE} FROM images WHERE rowid >= :rowid ORDER BY rowid LIMIT 1"
IMAGES_OF_KEYS = """
    SELECT access_key, bytes, created_s FROM images WHERE rowid > 0 AND access_key IS NOT NULL ORDER BY rowid"""
FORGET_USAGE = "DELETE FROM key_usage WHERE id > ''"
IMAGES_BY_INVITE = "SELECT invite, bytes FROM images WHERE rowid > 0 AND invite IS NOT NULL ORDER BY rowid"
RECOUNT_INVITE = """
    UPDATE invites SET images = max(images, :images), bytes = max(bytes, :bytes) WHERE id = :id"""
MORE_THAN_ROWS = "SELECT type, name, sql FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
"""Triggers and views: in a file from elsewhere they would run with our statements."""
