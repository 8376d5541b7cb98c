"""What is to stay of an original's metadata, in rows: three choices, and those of releases that knew two."""

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from appliance.catalogue.sql.rows import image_values, upload_values
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.migrations import migrations
from appliance.domain.model import ContentCredentials, KeepMetadata
from appliance.domain.resumable_uploads import Upload
from tests.support.rows import image, slug, upload

MIGRATION = "0009-metadata-kept"
LOCKS = {"lock", "one_view", "viewing", "viewing_s"}


def upload_keeping(keep: KeepMetadata) -> Upload:
    return upload(list(KeepMetadata).index(keep), keep_metadata=keep)


async def test_rows_of_an_earlier_release_keep_their_meaning(path: Path) -> None:
    old = sqlite3.connect(path)
    migrations.apply(Database(old), stop_before=MIGRATION)
    for keep in (KeepMetadata.NOTHING, KeepMetadata.ALL):
        later = {"keep_credits", "had_credentials", "is_open", "access_key", "invite", "lock", "one_view", "node"}
        _insert(old, "uploads", upload_values(upload_keeping(keep)), without=later | {"sealed_address"})
    marks = {"prewarmed": 0, "sidecar_due": 0, "erasing": 0}
    later = {"keep_metadata", "content_credentials", "incomplete", "access_key", "invite", "node"} | LOCKS
    _insert(old, "images", image_values(image()) | marks, without=later)
    old.commit()
    old.close()
    async with SqliteCatalogue(path) as catalogue:
        found = [
            await catalogue.uploads.get(upload_keeping(keep).id_hash)
            for keep in (KeepMetadata.NOTHING, KeepMetadata.ALL)
        ]
        assert [each.keep_metadata for each in found if each] == [KeepMetadata.NOTHING, KeepMetadata.ALL]
        assert await catalogue.images.get(slug(0)) == image()
        assert (image().keep_metadata, image().content_credentials) == (None, ContentCredentials.KEPT)


def test_the_release_before_keeps_no_more_of_a_files_metadata_than_was_asked_for() -> None:
    """After a rollback it reads the column it knows, and clears whatever is not to stay whole."""
    known = {keep: upload_values(upload_keeping(keep))["keep_metadata"] for keep in KeepMetadata}
    assert known == {KeepMetadata.NOTHING: False, KeepMetadata.CREDITS: False, KeepMetadata.ALL: True}


def _insert(connection: sqlite3.Connection, table: str, values: dict[str, object], *, without: set[str]) -> None:
    known = {name: value for name, value in values.items() if name not in without}
    names = ", ".join(known)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in known)})", known)
