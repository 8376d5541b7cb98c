"""An image survives its journey through an object's metadata and its sidecar, whatever its names are made of."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.flat_image import unflatten
from appliance.domain.model import ContentCredentials, Ending, Image, KeepMetadata, Location, PrivateData, Tombstone
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.domain.renditions import Facts
from appliance.domain.slugs import object_key
from appliance.objectstore import ObjectInfo, ObjectStore
from appliance.objectstore.port import checked_metadata
from appliance.objectstore.records import (
    UnreadableRecord,
    image_from,
    metadata_of,
    record_of,
    sidecar_of,
    tombstone_from,
    tombstone_record,
)
from tests.support.rows import changed

PLAIN = Image(
    slug="00Ab0123456789abc",
    filename="cat.jpg",
    facts=Facts("image/jpeg", 2725, 2225),
    bytes=10_240,
    sha256="0" * 64,
    created_s=1_800_000_000,
    expires_s=1_830_000_000,
    token_hash="f" * 64,
    location=Location.STORE,
)
SCRIPTS = [
    "猫" * 251 + ".jpg",
    "🦊" * 255,
    "شجرة" * 60 + ".png",
    "é" * 255,
    " a  b ",
    "%41.jpg",
    "a" * 251 + ".jpg",
    ".",
    "",
]

numbers = st.integers(0, 10**15)
images = st.builds(
    lambda **values: unflatten(values),
    slug=st.text("0123456789ABCabc", min_size=17, max_size=17),
    filename=st.text(max_size=255) | st.sampled_from(SCRIPTS),
    media_type=st.sampled_from(["image/jpeg", "image/gif", "image/heic"]),
    bytes=st.integers(1, 5 * 2**40),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    width=st.integers(1, 10**6),
    height=st.integers(1, 10**6),
    created_s=st.integers(0, 2**40),
    expires_s=st.integers(0, 2**40),
    token_hash=st.text("0123456789abcdef", min_size=64, max_size=64),
    title=st.none() | st.text(max_size=200),
    alt=st.none() | st.text(max_size=2000),
    frames=st.integers(1, 10**6),
    has_alpha=st.booleans(),
    progressive=st.booleans(),
    memory_bytes=numbers,
    original_only=st.none() | st.text(max_size=300),
    location=st.just(Location.STORE),
    version=st.just(1) | st.integers(1, 2**31),
    ended=st.none() | st.sampled_from(Ending),
    ended_s=st.none(),
    erase_after_s=st.none() | numbers,
    private_data=st.sampled_from(PrivateData),
    content_credentials=st.sampled_from(ContentCredentials),
    keep_metadata=st.none() | st.sampled_from(KeepMetadata),
    access_key=st.none() | st.text("0123456789ABCabc", min_size=10, max_size=10),
)


def info_of(image: Image, metadata: Mapping[str, str]) -> ObjectInfo:
    return ObjectInfo(object_key(image.slug), image.bytes, 0.0, image.media_type, metadata)


@given(images)
def test_the_store_gives_the_identical_image_back(image: Image) -> None:
    image = replace(image, ended_s=image.created_s if image.ended else None)
    info = info_of(image, checked_metadata(metadata_of(image)))
    sidecar = sidecar_of(image) if record_of(image).needs_sidecar else None
    assert image_from(info, sidecar) == image


@given(images)
def test_the_metadata_alone_gives_all_but_what_needs_a_sidecar(image: Image) -> None:
    bare = replace(image, title=None, alt=None, ended=None, ended_s=None, erase_after_s=None)
    known = image_from(info_of(bare, metadata_of(bare)))
    assert changed(known, filename=bare.filename, original_only=bare.original_only) == bare
    stem, dot, extension = known.filename.rpartition(".")
    assert bare.filename.startswith(stem or known.filename)
    assert bare.filename.endswith(dot + extension) or bare.filename.startswith(known.filename)


@pytest.mark.parametrize("filename", SCRIPTS)
async def test_names_in_any_script_survive_a_real_store(
    store: ObjectStore, original: Path, filename: str, prefix: str
) -> None:
    image = replace(PLAIN, filename=filename)
    await store.put(prefix + "a", original, media_type=image.media_type, metadata=metadata_of(image))
    sidecar = sidecar_of(image) if record_of(image).needs_sidecar else None
    assert image_from(await store.stat(prefix + "a"), sidecar) == image


def test_a_sidecar_has_the_released_names() -> None:
    names = (
        "access_key alt bytes content_credentials created_s ended ended_s erase_after_s expires_s filename frames "
        "has_alpha height incomplete invite keep_metadata lock media_type memory_bytes one_view original_only "
        "private_data progressive sha256 slug still title token_hash version viewing viewing_s width"
    )
    assert json.loads(sidecar_of(PLAIN)).keys() == set(names.split())


def test_records_of_before_promise_nothing_about_what_is_left() -> None:
    new = replace(PLAIN, content_credentials=ContentCredentials.NONE, keep_metadata=KeepMetadata.NOTHING)
    metadata, document = metadata_of(new), json.loads(sidecar_of(new))
    for name in ("keep", "credentials"):
        del metadata[name]
    for name in ("keep_metadata", "content_credentials"):
        del document[name]
    for image in (image_from(info_of(new, metadata)), image_from(info_of(new, {}), json.dumps(document).encode())):
        assert image == PLAIN
        assert (image.content_credentials, image.keep_metadata) == (ContentCredentials.KEPT, None)


@pytest.mark.parametrize("closed", [{"lock": "a lock"}, {"one_view": True}])
def test_without_its_sidecar_a_closed_image_stays_closed(closed: dict[str, Any]) -> None:
    image = replace(PLAIN, **closed)
    record = record_of(image)
    assert record.needs_sidecar
    assert image_from(info_of(image, record.metadata)).lock == UNREADABLE_LOCK
    assert image_from(info_of(image, record.metadata), sidecar_of(image)) == image


def test_a_lock_that_is_no_text_is_unreadable() -> None:
    document = json.loads(sidecar_of(PLAIN)) | {"lock": False}
    assert image_from(info_of(PLAIN, {}), json.dumps(document).encode()).lock == UNREADABLE_LOCK


def test_a_plain_image_needs_no_sidecar() -> None:
    assert not record_of(PLAIN).needs_sidecar
    assert not record_of(changed(PLAIN, filename="Ein Bär 🦊.jpg", original_only="too many pixels")).needs_sidecar


@pytest.mark.parametrize(
    "change",
    [
        {"title": "A cat"},
        {"alt": ""},
        {"version": 2},
        {"ended": Ending.DELETED},
        {"filename": "猫" * 255},
        {"original_only": "ü" * 300},
    ],
)
def test_what_the_metadata_cannot_tell_needs_a_sidecar(change: dict[str, object]) -> None:
    assert record_of(changed(PLAIN, **change)).needs_sidecar


def test_a_name_that_is_cut_keeps_its_extension() -> None:
    known = image_from(info_of(PLAIN, metadata_of(replace(PLAIN, filename="猫" * 251 + ".jpg"))))
    assert known.filename.endswith("猫.jpg")
    assert len(known.filename) > 100


def test_a_later_sidecar_wins_over_the_metadata() -> None:
    extended = replace(PLAIN, expires_s=1_900_000_000, version=2)
    assert image_from(info_of(PLAIN, metadata_of(PLAIN)), sidecar_of(extended)) == extended


@pytest.mark.parametrize("sidecar", [b"", b"{}", b"[]", b"\xff", b'{"slug": "a"}'])
def test_a_damaged_sidecar_is_named(sidecar: bytes) -> None:
    with pytest.raises(UnreadableRecord, match=r"sidecar of originals/00Ab/"):
        image_from(info_of(PLAIN, metadata_of(PLAIN)), sidecar)


@pytest.mark.parametrize("metadata", [{}, metadata_of(PLAIN) | {"width": "wide"}])
def test_an_object_of_somebody_else_is_named(metadata: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord, match="metadata of"):
        image_from(info_of(PLAIN, metadata))


@pytest.mark.parametrize(
    "tombstone",
    [
        Tombstone(PLAIN.slug, Ending.DELETED, 1_790_000_000),
        Tombstone(PLAIN.slug, Ending.DELETED, 1_790_000_000, restorable_until_s=1_790_604_800, version=4),
    ],
)
def test_a_tombstone_comes_back_as_it_was(tombstone: Tombstone) -> None:
    assert tombstone_from("tombstones/a", tombstone_record(tombstone)) == tombstone
