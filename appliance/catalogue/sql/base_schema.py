"""The first migrations: images, albums, uploads, keys and what is remembered of them."""

from appliance.catalogue.sql.migration import Schema, migration


@migration("0001-images")
def images(db: Schema) -> None:
    db.execute(
        """
        CREATE TABLE images (
            slug TEXT NOT NULL PRIMARY KEY,
            filename TEXT NOT NULL,
            media_type TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            sha256 BLOB NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            created_s INTEGER NOT NULL,
            expires_s INTEGER NOT NULL,
            token_hash BLOB NOT NULL,
            title TEXT,
            alt TEXT,
            frames INTEGER NOT NULL,
            has_alpha INTEGER NOT NULL,
            progressive INTEGER NOT NULL,
            memory_bytes INTEGER NOT NULL,
            original_only TEXT,
            location TEXT NOT NULL,
            version INTEGER NOT NULL,
            ended TEXT,
            ended_s INTEGER,
            erase_after_s INTEGER,
            prewarmed INTEGER NOT NULL,
            sidecar_due INTEGER NOT NULL,
            erasing INTEGER NOT NULL
        )"""
    )
    db.execute("CREATE INDEX images_unshipped ON images (slug) WHERE location = 'spool' AND ended IS NULL")
    db.execute(
        "CREATE INDEX images_unwarmed ON images (slug) WHERE prewarmed = 0 AND ended IS NULL AND original_only IS NULL"
    )
    db.execute(
        "CREATE INDEX images_sidecar_due ON images (slug)"
        " WHERE sidecar_due = 1 AND location = 'store' AND ended IS NULL"
    )
    db.execute("CREATE INDEX images_due ON images (expires_s) WHERE ended IS NULL")
    db.execute("CREATE INDEX images_ended ON images (erase_after_s) WHERE ended IS NOT NULL")


@migration("0002-memory-of-what-was")
def memory(db: Schema) -> None:
    db.execute(
        "CREATE TABLE tombstones"
        " (slug TEXT NOT NULL PRIMARY KEY, ended TEXT NOT NULL, ended_s INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX tombstones_by_time ON tombstones (ended_s)")
    db.execute(
        "CREATE TABLE idempotency (key_hash BLOB NOT NULL PRIMARY KEY, slug TEXT NOT NULL,"
        " fingerprint BLOB NOT NULL, created_s INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX idempotency_by_time ON idempotency (created_s)")
    db.execute("CREATE TABLE notes (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


@migration("0003-resumable-uploads")
def uploads(db: Schema) -> None:
    db.execute(
        """
        CREATE TABLE uploads (
            id_hash BLOB NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            slug TEXT,
            token_hash BLOB,
            length INTEGER,
            filename TEXT NOT NULL,
            title TEXT,
            alt TEXT,
            expires_in_s INTEGER,
            metadata TEXT NOT NULL,
            concat TEXT NOT NULL,
            created_s INTEGER NOT NULL,
            expires_s INTEGER NOT NULL,
            state TEXT NOT NULL,
            refusal TEXT
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX uploads_by_slug ON uploads (slug) WHERE slug IS NOT NULL")
    db.execute("CREATE INDEX uploads_receiving ON uploads (expires_s) WHERE state = 'receiving'")
    db.execute("CREATE INDEX uploads_ended ON uploads (expires_s) WHERE state <> 'receiving'")


@migration("0004-albums")
def albums(db: Schema) -> None:
    """An album's row has its images in their order: nothing ever asks which albums an image is in."""
    db.execute(
        """
        CREATE TABLE albums (
            slug TEXT NOT NULL PRIMARY KEY,
            images TEXT NOT NULL,
            token_hash BLOB NOT NULL,
            created_s INTEGER NOT NULL,
            due_s INTEGER NOT NULL,
            title TEXT,
            expires_s INTEGER,
            version INTEGER NOT NULL,
            ended TEXT,
            ended_s INTEGER,
            erase_after_s INTEGER,
            sidecar_due INTEGER NOT NULL
        )"""
    )
    db.execute("CREATE INDEX albums_due ON albums (due_s) WHERE ended IS NULL")
    db.execute("CREATE INDEX albums_erasable ON albums (erase_after_s) WHERE erase_after_s IS NOT NULL")
    db.execute("CREATE INDEX albums_erased ON albums (ended_s) WHERE ended IS NOT NULL AND erase_after_s IS NULL")
    db.execute("CREATE INDEX albums_sidecar_due ON albums (slug) WHERE sidecar_due = 1")


@migration("0005-private-data")
def private_data(db: Schema) -> None:
    db.execute("ALTER TABLE images ADD COLUMN private_data TEXT NOT NULL DEFAULT 'kept'")
    db.execute("ALTER TABLE uploads ADD COLUMN keep_metadata INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE uploads ADD COLUMN edits BLOB NOT NULL DEFAULT x''")


@migration("0006-stills")
def stills(db: Schema) -> None:
    db.execute("ALTER TABLE images ADD COLUMN still TEXT")


@migration("0007-purges")
def purges(db: Schema) -> None:
    """Tags that shared caches have to purge; `turn` is their generation, and grows each time a tag is enqueued."""
    db.execute(
        "CREATE TABLE purges (tag TEXT NOT NULL PRIMARY KEY, due_s INTEGER NOT NULL, rounds INTEGER NOT NULL,"
        " turn INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX purges_due ON purges (due_s)")


@migration("0008-idempotency-secrets")
def idempotency_secrets(db: Schema) -> None:
    db.execute("ALTER TABLE idempotency ADD COLUMN secret TEXT NOT NULL DEFAULT ''")


@migration("0009-metadata-kept")
def metadata_kept(db: Schema) -> None:
    """`keep_metadata` of an upload still means everything or not; older images have no choice recorded."""
    db.execute("ALTER TABLE images ADD COLUMN content_credentials TEXT NOT NULL DEFAULT 'kept'")
    db.execute("ALTER TABLE images ADD COLUMN keep_metadata TEXT")
    db.execute("ALTER TABLE uploads ADD COLUMN keep_credits INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE uploads ADD COLUMN had_credentials INTEGER NOT NULL DEFAULT 0")


@migration("0010-incomplete")
def incomplete(db: Schema) -> None:
    """An image of before was not looked at for it, and counts as complete."""
    db.execute("ALTER TABLE images ADD COLUMN incomplete INTEGER NOT NULL DEFAULT 0")


@migration("0011-open-uploads")
def open_uploads(db: Schema) -> None:
    """A release that doesn't know the column finishes such an upload once its declared length is there."""
    db.execute("ALTER TABLE uploads ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0")


@migration("0012-album-covers")
def album_covers(db: Schema) -> None:
    db.execute("ALTER TABLE albums ADD COLUMN description TEXT")
    db.execute("ALTER TABLE albums ADD COLUMN cover TEXT")


@migration("0013-tombstones-due")
def tombstones_due(db: Schema) -> None:
    """Images whose deletion or restoration the store doesn't know yet, and the version that it has to know."""
    db.execute("CREATE TABLE tombstones_due (slug TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID")


@migration("0014-keys")
def keys(db: Schema) -> None:
    """Access keys, what was uploaded with each, and records that the store doesn't have yet (without a body: gone)."""
    db.execute(
        """
        CREATE TABLE keys (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            secret_hash BLOB NOT NULL,
            scopes TEXT NOT NULL,
            limits TEXT NOT NULL,
            created_s INTEGER NOT NULL,
            expires_s INTEGER,
            revoked_s INTEGER,
            version INTEGER NOT NULL
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX keys_by_time ON keys (created_s, id)")
    db.execute("CREATE INDEX keys_by_name ON keys (name) WHERE revoked_s IS NULL")
    db.execute(
        "CREATE TABLE key_usage (id TEXT NOT NULL PRIMARY KEY, images INTEGER NOT NULL, bytes INTEGER NOT NULL,"
        " day INTEGER NOT NULL, day_images INTEGER NOT NULL, day_bytes INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE records_due (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT,"
        " PRIMARY KEY (kind, id)) WITHOUT ROWID"
    )
    for table in ("images", "albums", "uploads"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN access_key TEXT")


@migration("0015-day-budgets")
def day_budgets(db: Schema) -> None:
    """What clients used of their day budgets. The names lead nowhere without the key of the day, which is not here."""
    db.execute(
        """
        CREATE TABLE day_budgets (
            day INTEGER NOT NULL, name BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (day, name)
        ) WITHOUT ROWID
        """
    )


@migration("0016-locks")
def locks(db: Schema) -> None:
    """A release that doesn't know the columns may use them until the first lock (`lock_mark`)."""
    db.execute("ALTER TABLE images ADD COLUMN lock TEXT")
    db.execute("ALTER TABLE images ADD COLUMN one_view INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE images ADD COLUMN viewing TEXT")
    db.execute("ALTER TABLE images ADD COLUMN viewing_s INTEGER")
    db.execute("ALTER TABLE albums ADD COLUMN lock TEXT")
    db.execute("ALTER TABLE uploads ADD COLUMN lock TEXT")
    db.execute("ALTER TABLE uploads ADD COLUMN one_view INTEGER NOT NULL DEFAULT 0")


@migration("0017-invites")
def invites(db: Schema) -> None:
    """Links by which guests add images to albums, and what was added by each."""
    db.execute(
        """
        CREATE TABLE invites (
            id TEXT NOT NULL PRIMARY KEY,
            album TEXT NOT NULL,
            token_hash BLOB NOT NULL,
            created_s INTEGER NOT NULL,
            expires_s INTEGER NOT NULL,
            max_images INTEGER NOT NULL,
            max_bytes INTEGER NOT NULL,
            sees TEXT NOT NULL,
            closed_s INTEGER,
            version INTEGER NOT NULL,
            images INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID"""
    )
    db.execute("CREATE INDEX invites_by_token ON invites (token_hash)")
    db.execute("CREATE INDEX invites_by_album ON invites (album, created_s)")
    for table in ("images", "uploads"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN invite TEXT")


@migration("0018-bans")
def bans(db: Schema) -> None:
    """Networks and access keys that are kept out. Without `until_s` for good; `views` says that nothing is shown."""
    db.execute(
        "CREATE TABLE bans (id TEXT NOT NULL PRIMARY KEY, reason TEXT NOT NULL, created_s INTEGER NOT NULL,"
        " until_s INTEGER, views INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX bans_by_end ON bans (until_s) WHERE until_s IS NOT NULL")
