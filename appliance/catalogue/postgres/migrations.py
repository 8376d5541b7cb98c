"""Applies the migrations of the schema to a database, and refuses databases that can't hold the catalogue."""

from collections.abc import Callable, Collection

from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.dialect import MIGRATIONS_TABLE
from appliance.catalogue.postgres.ownership import Ownership
from appliance.catalogue.postgres.schema_changes import Report, apply_among_others, apply_at_once
from appliance.catalogue.sql.marks import applied_names
from appliance.catalogue.sql.migration import CHANGES, Migration, refuse_unusable
from appliance.catalogue.sql.schema import MIGRATIONS
from appliance.domain.errors import CatalogueUnavailable, NodeSchemaDiffers, UnfitInstallation

OLDEST_POSTGRES = 15
_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
_MAKE_LIST = f"""
    CREATE TABLE {MIGRATIONS_TABLE} (name TEXT NOT NULL PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"""


def require_fit(connection: PostgresConnection) -> None:
    """Raises UnfitInstallation if the server is too old, or its text isn't UTF-8."""
    version = connection.raw.info.server_version // 10_000
    if version < OLDEST_POSTGRES:
        raise UnfitInstallation(f"PostgreSQL {version} is too old: {OLDEST_POSTGRES} or newer is needed.")
    encoding = connection.raw.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnfitInstallation(
            f"The catalogue's database has the encoding {encoding}. Create it with `createdb --encoding=UTF8 "
            "--template=template0`."
        )


def is_made(connection: PostgresConnection) -> bool:
    """Whether there is a catalogue. Raises CatalogueUnavailable where other tables are, psycopg.Error."""
    return bool(existing_tables(connection))


def existing_tables(connection: PostgresConnection) -> set[str]:
    """The names of the catalogue's tables; empty where there is no catalogue. Raises as `is_made` does."""
    tables = {name for (name,) in connection.raw.execute(_TABLES)}
    if tables and MIGRATIONS_TABLE not in tables:
        raise CatalogueUnavailable(
            "The database of catalogue.url belongs to another program. It was not changed. "
            "Create one that only the appliance uses."
        )
    return tables


def migrate(
    connection: PostgresConnection,
    ownership: Ownership,
    refuse: Callable[[Collection[str]], None] = refuse_unusable,
    report: Report = lambda _work: None,
) -> None:
    """Apply the missing migrations. The caller has claimed the schema, or owns the database alone.

    Raises SchemaInUse to be called again, CatalogueUnavailable, NodeSchemaDiffers, psycopg.Error, and what `refuse`
    raises of those that were applied: CatalogueNotInUse, CatalogueTooNew.
    """
    if not is_made(connection):
        with ownership.migrating(connection):
            connection.raw.execute(_MAKE_LIST)
    applied = applied_names(connection)
    refuse(applied)
    missing = [migration for migration in MIGRATIONS if migration.name not in applied]
    changes = [migration.name for migration in missing if migration.name.endswith(CHANGES)]
    if ownership.node is None or not changes:
        _apply(connection, ownership, missing, applied, report)
        return
    if not ownership.claim_alone(connection):
        raise NodeSchemaDiffers(
            f"Nodes of an older release use this catalogue, and would not understand what this one changes in its "
            f"schema ({', '.join(changes)}). Stop them, start this node, and upgrade them before they start again."
        )
    _apply(connection, ownership, missing, applied, report)
    ownership.share(connection)


def _apply(
    connection: PostgresConnection,
    ownership: Ownership,
    missing: list[Migration],
    applied: Collection[str],
    report: Report,
) -> None:
    if any(migration.name in applied for migration in MIGRATIONS):
        for migration in missing:
            apply_among_others(connection, ownership, migration, applied, report)
        return
    with ownership.migrating(connection):
        for migration in missing:
            apply_at_once(connection, migration)
