"""What others do to a bucket: their keys in it, their rules for our key, and the region where they put it."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.minioadmin import MinioAdmin

from appliance.domain.errors import StoreUnavailable
from appliance.objectstore import DirectoryStore, MinioStore, StoreNotCreated
from tests.support.servers import Server, minio_server
from tests.support.stores import store_on

JPEG = "image/jpeg"
OBJECTS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
Grant = Callable[..., MinioStore]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A MinIO in a region of its own."""
    with minio_server(tmp_path_factory.mktemp("far"), region="eu-test-7") as server:
        yield server


@pytest.fixture
def grant(minio: Server) -> Grant:
    """Makes a key that may do only what is given, and a store that uses it."""

    def make(bucket: str, *, on_bucket: list[str], on_objects: list[str]) -> MinioStore:
        root = StaticProvider(minio.access_key, minio.secret_key)
        admin = MinioAdmin(endpoint=minio.endpoint, credentials=root, secure=False)
        statements = [
            {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{bucket}{below}"]}
            for actions, below in ((on_bucket, ""), (on_objects, "/*"))
            if actions
        ]
        name, access, secret = f"p{secrets.token_hex(4)}", f"k{secrets.token_hex(4)}", secrets.token_hex(16)
        admin.policy_add(name, policy={"Version": "2012-10-17", "Statement": statements})
        admin.user_add(access, secret)
        admin.policy_set(name, user=access)
        return store_on(minio, bucket, access_key=access, secret_key=secret)

    return make


def client_of(server: Server) -> Minio:
    return Minio(server.endpoint, server.access_key, server.secret_key, secure=False)


async def test_the_error_names_the_permission_that_a_key_lacks(minio: Server, grant: Grant) -> None:
    client_of(minio).make_bucket("unlisted")
    store = grant("unlisted", on_bucket=[], on_objects=OBJECTS)
    for calling in (store.start(), store.check()):
        with pytest.raises(StoreUnavailable, match=r"lacks a permission, such as s3:ListBucket .*403 AccessDenied"):
            await calling
    await store.close()


async def test_the_error_says_that_a_key_may_not_create_its_bucket(minio: Server, grant: Grant) -> None:
    store = grant("uncreated", on_bucket=["s3:ListBucket"], on_objects=OBJECTS)
    with pytest.raises(StoreNotCreated, match="no bucket uncreated, and the key isn't allowed to create one"):
        await store.start()
    await store.close()


async def test_a_key_with_list_and_its_objects_alone_is_enough(minio: Server, grant: Grant, original: Path) -> None:
    client_of(minio).make_bucket("narrow")
    store = grant("narrow", on_bucket=["s3:ListBucket"], on_objects=OBJECTS)
    await store.start()
    await store.put("originals/a", original, media_type=JPEG, metadata={})
    assert [entry.key async for entry in store.list("")] == ["originals/a"]
    await store.delete("originals/a")
    await store.close()


async def test_the_error_names_the_region_that_the_store_expects(far: Server, original: Path) -> None:
    store = store_on(far)
    for calling in (
        store.start(),
        store.check(),
        store.stat("a"),
        store.put("a", original, media_type=JPEG, metadata={}),
        anext(aiter(store.list(""))),
    ):
        with pytest.raises(StoreUnavailable, match=r"is eu-test-7, not us-east-1: set store.region to eu-test-7"):
            await calling
    await store.close()


async def test_in_its_own_region_a_store_creates_its_bucket_and_keeps_objects(far: Server, original: Path) -> None:
    store = store_on(far, bucket="regional", region="eu-test-7")
    await store.start()
    await store.put("a", original, media_type=JPEG, metadata={})
    assert (await store.stat("a")).bytes == original.stat().st_size
    await store.close()


async def test_keys_that_are_not_ours_are_left_out_of_a_listing_of_a_bucket(minio: Server) -> None:
    store = store_on(minio, bucket="shared-with-others")
    await store.start()
    await store.put_bytes("tombstones/ours", b"{}", media_type="application/json")
    strange = minio.folder / "strange"
    strange.write_bytes(b"")
    client = client_of(minio)
    for key in ("tombstones/", "originals/with a space", "originals/über.jpg"):
        client.fput_object("shared-with-others", key, str(strange))
    assert [entry.key async for entry in store.list("")] == ["tombstones/ours"]
    await store.close()


async def test_files_that_are_not_ours_are_left_out_of_a_listing_of_a_directory(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    await store.start()
    await store.put_bytes("originals/ours", b"x", media_type=JPEG)
    (tmp_path / "store/objects/originals/a copy of it").write_bytes(b"x")
    assert [entry.key async for entry in store.list("")] == ["originals/ours"]
    await store.close()


async def test_before_it_is_started_a_store_says_that_it_is_not_created(minio: Server, tmp_path: Path) -> None:
    for store in (store_on(minio, bucket="not-started"), DirectoryStore(tmp_path / "not-started")):
        with pytest.raises(StoreNotCreated):
            await store.check()
        await store.close()
