"""What is to stay of an original's metadata, in rows: three choices, and those of releases that knew two."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance.catalogue import Catalogue
from appliance.catalogue.migrations import migrations
from appliance.catalogue.rows import image_values, upload_values
from appliance.domain.model import ContentCredentials, KeepMetadata, Upload, UploadKind
from tests.support.rows import LATER, NOW_S, image, slug

MIGRATION = "0009-metadata-kept"


def upload(keep: KeepMetadata = KeepMetadata.NOTHING) -> Upload:
    return Upload(
        id_hash=f"{keep.value:0<64}".encode().hex()[:64],
        kind=UploadKind.PLAIN,
        slug=slug(0),
        token_hash="ab" * 32,
        length=10,
        filename="a.jpg",
        title=None,
        alt=None,
        expires_in_s=None,
        metadata="",
        concat="",
        created_s=NOW_S,
        expires_s=LATER,
        keep_metadata=keep,
    )


@pytest.mark.parametrize("keep", KeepMetadata)
async def test_a_resumable_upload_remembers_what_was_to_stay(path: Path, keep: KeepMetadata) -> None:
    async with Catalogue(path) as catalogue:
        await catalogue.uploads.add(upload(keep))
    async with Catalogue(path) as catalogue:
        found = await catalogue.uploads.get(upload(keep).id_hash)
    assert found == upload(keep)


async def test_credentials_that_were_found_once_are_not_forgotten_by_a_later_look(path: Path) -> None:
    made = upload()
    async with Catalogue(path) as catalogue:
        await catalogue.uploads.add(made)
        await catalogue.uploads.set_edits(made.id_hash, b"one", credentials=True)
        await catalogue.uploads.set_edits(made.id_hash, b"two")
        found = await catalogue.uploads.get(made.id_hash)
    assert found == replace(made, edits=b"two", had_credentials=True)


@pytest.mark.parametrize("keep", [None, *KeepMetadata])
@pytest.mark.parametrize("credentials", ContentCredentials)
async def test_an_image_remembers_what_became_of_its_metadata(
    path: Path, keep: KeepMetadata | None, credentials: ContentCredentials
) -> None:
    made = image(keep_metadata=keep, content_credentials=credentials)
    async with Catalogue(path) as catalogue:
        await catalogue.add(made)
    async with Catalogue(path) as catalogue:
        assert await catalogue.get(made.slug) == made


async def test_rows_of_an_earlier_release_keep_their_meaning(path: Path) -> None:
    old = sqlite3.connect(path)
    migrations.apply(Database(old), stop_before=MIGRATION)
    for keep in (KeepMetadata.NOTHING, KeepMetadata.ALL):
        _insert(old, "uploads", upload_values(upload(keep)), without={"keep_credits", "had_credentials"})
    marks = {"prewarmed": 0, "sidecar_due": 0, "erasing": 0}
    _insert(old, "images", image_values(image()) | marks, without={"keep_metadata", "content_credentials"})
    old.commit()
    old.close()
    async with Catalogue(path) as catalogue:
        found = [await catalogue.uploads.get(upload(keep).id_hash) for keep in (KeepMetadata.NOTHING, KeepMetadata.ALL)]
        assert [each.keep_metadata for each in found if each] == [KeepMetadata.NOTHING, KeepMetadata.ALL]
        assert await catalogue.get(slug(0)) == image()
        assert (image().keep_metadata, image().content_credentials) == (None, ContentCredentials.KEPT)


def test_the_release_before_keeps_no_more_of_a_files_metadata_than_was_asked_for() -> None:
    """After a rollback it reads the column it knows, and clears whatever is not to stay whole."""
    known = {keep: upload_values(upload(keep))["keep_metadata"] for keep in KeepMetadata}
    assert known == {KeepMetadata.NOTHING: False, KeepMetadata.CREDITS: False, KeepMetadata.ALL: True}


def _insert(connection: sqlite3.Connection, table: str, values: dict[str, object], *, without: set[str]) -> None:
    known = {name: value for name, value in values.items() if name not in without}
    names = ", ".join(known)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in known)})", known)
