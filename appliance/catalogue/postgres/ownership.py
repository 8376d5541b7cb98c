"""Who uses the catalogue's database: one server that is alone, or several nodes, no two of one name.

They hold session locks, which end with their connection: a crash leaves nothing to clean up.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE
from appliance.domain.errors import ApplianceError, CatalogueUnavailable, NodeNameInUse, SchemaInUse

# "APIC", as in a SQLite file's header, and the next
_CATALOGUE, _NODE, _MIGRATION, _SCHEMA = 1095780675, 1095780676, 1095780677, 1095780678
_SCHEMA_OF_TABLES = "hashtext(current_schema())"
_ALONE = f"SELECT pg_try_advisory_lock({_CATALOGUE}, {_SCHEMA_OF_TABLES})"
_SHARED = f"SELECT pg_try_advisory_lock_shared({_CATALOGUE}, {_SCHEMA_OF_TABLES})"
_NOT_ALONE = f"SELECT pg_advisory_unlock({_CATALOGUE}, {_SCHEMA_OF_TABLES})"
_NAMED = f"SELECT pg_try_advisory_lock({_NODE}, hashtext(current_schema() || '/' || %(name)s))"
_MIGRATING = f"SELECT pg_try_advisory_lock({_MIGRATION}, {_SCHEMA_OF_TABLES})"
_MIGRATED = f"SELECT pg_advisory_unlock({_MIGRATION}, {_SCHEMA_OF_TABLES})"
_CHANGING = f"SELECT pg_try_advisory_lock({_SCHEMA}, {_SCHEMA_OF_TABLES})"
_CHANGED = f"SELECT pg_advisory_unlock({_SCHEMA}, {_SCHEMA_OF_TABLES})"

TAKE_TURN = f"LOCK TABLE {MIGRATIONS_TABLE} IN EXCLUSIVE MODE".encode()
"""Nodes write one after the other: at the same time, most of their transactions would be refused and run again.

It comes before the first query, so that the transaction sees what was committed before its turn.
"""
TURN_STATEMENT_S = 4
"""How long a statement that writes may take: the database finishes it for a node that has vanished, too.

Two of them end within the time for which the callers of the others in their group wait.
"""
TURN_WAIT_S = 9
"""Longer than a turn can last whose node has vanished: a statement, and the silence after which its session ends."""
IN_TIME = b"; SET LOCAL statement_timeout = '%ds'" % TURN_STATEMENT_S
"""What a server that is alone adds to its BEGIN, so that both are one journey to the database."""
IN_TURN = b"; SET LOCAL lock_timeout = '%ds'; %b%b" % (TURN_WAIT_S, TAKE_TURN, IN_TIME)
"""The same of a node."""
LOCKED_WITHIN = b"SET LOCAL lock_timeout = '200ms'"
"""Views queue behind a lock that waits."""
USED_BY_ANOTHER = (
    "Another server uses the catalogue of catalogue.url. Stop it first, or make both of them nodes (see node.listen)."
)

_YIELDED_WITHIN = b"SET LOCAL lock_timeout = '2s'"
"""Autovacuum gives way to what has waited for PostgreSQL's `deadlock_timeout`, which is a second."""
_KEEP_VACUUM_OUT = "LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE"
"""No read and no change of rows waits for this one."""
_CHANGED_BY_ANOTHER = "Another node changes the schema of the catalogue. This one waits until that is done."


class Ownership:
    """What a session has to hold before it writes: as the node of this name, or alone if `node` is None.

    The methods raise psycopg.Error.
    """

    def __init__(self, node: str | None) -> None:
        self.node = node

    def claim(self, connection: PostgresConnection) -> ApplianceError | None:
        """Make the session a writer of the catalogue. Why it can't be one now, otherwise."""
        if self.node is None:
            return None if _got(connection, _ALONE) else CatalogueUnavailable(USED_BY_ANOTHER)
        if not _got(connection, _SHARED):
            return CatalogueUnavailable(
                "A server without node.listen uses the catalogue of catalogue.url. Stop it, or make it a node too."
            )
        if not _got(connection, _NAMED, name=self.node):
            return NodeNameInUse(
                f"Another server is the node {self.node}, and is running. Give this one a name of its own (node.name)."
            )
        return None

    def claim_schema(self, connection: PostgresConnection) -> ApplianceError | None:
        """Keep other nodes from changing the schema until `release_schema`. Why it can't, otherwise.

        Nodes of releases that know only `migrating` start meanwhile: they have no changes to make.
        """
        return None if _got(connection, _CHANGING) else SchemaInUse(_CHANGED_BY_ANOTHER)

    def release_schema(self, connection: PostgresConnection) -> None:
        """Let others change the schema again."""
        connection.raw.execute(_CHANGED)

    @contextmanager
    def migrating(self, connection: PostgresConnection) -> Iterator[None]:
        """Keep the nodes of every release from starting meanwhile, so it must be short. Raises SchemaInUse."""
        if not _got(connection, _MIGRATING):
            raise SchemaInUse(_CHANGED_BY_ANOTHER)
        try:
            yield
        finally:
            if not connection.is_lost:
                connection.raw.execute(_MIGRATED)

    def claim_alone(self, connection: PostgresConnection) -> bool:
        """Keep all other servers away, until `share` is called. False while there are any."""
        return _got(connection, _ALONE)

    def share(self, connection: PostgresConnection) -> None:
        """Let other nodes in again."""
        connection.raw.execute(_NOT_ALONE)


def take_turn(connection: PostgresConnection, tables: Collection[str]) -> None:
    """Take the turn of those who write, in a transaction that then asks but briefly for strong locks on `tables`.

    So they and this don't wait for each other, and nobody queues behind it for long. The table of the turn isn't among
    them: all writers would wait while this waits for the others. Raises psycopg.Error.
    """
    connection.raw.execute(_YIELDED_WITHIN)
    for table in sorted(tables):
        connection.raw.execute(_KEEP_VACUUM_OUT.format(table).encode())
    connection.raw.execute(f"SET LOCAL lock_timeout = '{TURN_WAIT_S}s'".encode())
    connection.raw.execute(TAKE_TURN)
    connection.raw.execute(LOCKED_WITHIN)


def _got(connection: PostgresConnection, statement: str, **values: str) -> bool:
    row = connection.raw.execute(statement.encode(), values or None).fetchone()
    return bool(row and row[0])
