"""Commits that wait for a synchronous standby: the database ends none by itself, however long that is away."""

from appliance.catalogue.sql.connection import Connection

_IS_AWAITED = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user
        AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '1 second')"""
"""Of sessions whose process is gone, too. A standby that is there takes less than a second."""


def is_standby_awaited(connection: Connection) -> bool:
    """Whether a commit of this user waits for a standby that seems to be away. Raises psycopg.Error."""
    [[is_awaited]] = connection.execute(_IS_AWAITED).fetchall()
    return bool(is_awaited)
