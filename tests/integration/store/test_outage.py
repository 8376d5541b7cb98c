"""A store that is away, comes, goes and comes back: what people notice of it is close to nothing."""

import asyncio
import hashlib
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.domain.slugs import object_key
from appliance.objectstore import MinioStore
from tests.support.images import pictures
from tests.support.images.noise import padded
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import Server, minio_server
from tests.support.stores import looking_into
from tests.support.uploaders import shows_a_rendition, upload
from tests.support.waiting import until

_buckets = (f"images-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture
def bucket() -> str:
    return next(_buckets)


@pytest.fixture
def back_again(minio: Server) -> Iterator[Server]:
    """For tests that stop the store; it runs again afterwards."""
    yield minio
    minio.stop()
    minio.start()


def environment(minio: Server, bucket: str) -> dict[str, str]:
    return dict(on_minio(minio, APPLIANCE_STORE_BUCKET=bucket))


async def readiness(session: aiohttp.ClientSession, served: ServerProcess) -> tuple[int, dict[str, Any]]:
    async with session.get(f"{served.url}/readyz") as reply:
        return reply.status, await reply.json()


async def store_state(session: aiohttp.ClientSession, served: ServerProcess) -> str:
    return str((await readiness(session, served))[1]["parts"]["store"])


async def content(session: aiohttp.ClientSession, address: str) -> bytes:
    async with session.get(address) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.read()


def landed(served: ServerProcess) -> list[Path]:
    return list((served.data_dir / "spool/landed").iterdir())


async def test_a_server_starts_without_its_store_takes_uploads_and_ships_them_by_itself(
    tmp_path: Path, back_again: Server, bucket: str
) -> None:
    back_again.stop()
    photos = [pictures.photo(400, 300, seed=seed) for seed in range(5)]
    async with (
        serving(tmp_path / "data", **environment(back_again, bucket)) as served,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(f"{served.url}/healthz") as reply:
            assert reply.status == 200
        status, report = await readiness(session, served)
        assert (status, report["status"]) == (200, "degraded")
        images = []
        for data in photos:
            status, image = await upload(session, served.url, data)
            assert status == 201
            images.append(image)
        for data, image in zip(photos, images, strict=True):
            assert await content(session, image["original"]["url"]) == data
        assert await shows_a_rendition(session, served.url, images[0]["slug"])
        assert "5 originals are waiting" in await store_state(session, served)

        await asyncio.to_thread(back_again.start)
        await until(lambda: not landed(served), "all is shipped")
        assert await store_state(session, served) == "ok"
        async with looking_into(back_again, bucket) as store:
            for data, image in zip(photos, images, strict=True):
                await _is_in_store(store, image, data, tmp_path)


async def _is_in_store(store: MinioStore, image: dict[str, Any], data: bytes, folder: Path) -> None:
    found = await store.stat(object_key(image["slug"]))
    assert found.media_type == image["media_type"]
    assert found.metadata["slug"] == image["slug"]
    assert found.metadata["filename"] == image["filename"]
    assert found.metadata["sha256"] == hashlib.sha256(data).hexdigest()
    assert found.metadata["width"] == str(image["width"])
    await store.fetch(object_key(image["slug"]), folder / "fetched")
    assert (folder / "fetched").read_bytes() == data


async def test_a_store_that_dies_during_an_upload_costs_the_uploader_nothing(
    tmp_path: Path, back_again: Server, bucket: str
) -> None:
    data = padded(20_000_000, 1)

    async def dying() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 1_000_000):
            if start == 10_000_000:
                back_again.stop()
            yield data[start : start + 1_000_000]

    async with (
        serving(tmp_path / "data", **environment(back_again, bucket)) as served,
        aiohttp.ClientSession() as session,
    ):
        async with session.post(f"{served.url}/api/v1/images?filename=a.jpg", data=dying()) as reply:
            assert reply.status == 201
            image = await reply.json()
        assert await content(session, image["original"]["url"]) == data
        await asyncio.to_thread(back_again.start)
        await until(lambda: not landed(served), "it is shipped")


async def test_a_store_that_hangs_makes_few_wait_and_none_fail(tmp_path: Path, minio: Server, bucket: str) -> None:
    """A store that takes connections and answers nothing is found out by the first who waited in vain for it."""
    async with (
        serving(tmp_path / "data", **environment(minio, bucket), APPLIANCE_UPLOADS_ACK_BUDGET_S="1") as served,
        aiohttp.ClientSession() as session,
    ):
        minio.signal(signal.SIGSTOP)
        try:
            status, _ = await upload(session, served.url, pictures.photo(64, 64, seed=1))
            assert status == 201

            async def is_away() -> bool:
                return "unavailable" in await store_state(session, served)

            await until(is_away, "the store is known to hang")
            status, _ = await upload(session, served.url, pictures.photo(64, 64, seed=2))
            assert status == 201
        finally:
            minio.signal(signal.SIGCONT)
        await until(lambda: not landed(served), "both are shipped")


async def test_wrong_credentials_are_said_in_words(tmp_path: Path, minio: Server, bucket: str) -> None:
    wrong = environment(minio, bucket) | {"APPLIANCE_STORE_SECRET_KEY": "not-the-secret-key"}
    async with serving(tmp_path / "data", **wrong) as served, aiohttp.ClientSession() as session:
        status, report = await readiness(session, served)
        assert (status, report["status"]) == (200, "degraded")
        assert report["parts"]["store"].startswith("unavailable")
        assert minio.endpoint not in str(report)
        assert "access key or secret key is wrong" in served.words()
        assert "not-the-secret-key" not in served.words()
        status, image = await upload(session, served.url, pictures.photo(64, 64))
        assert status == 201
        assert await shows_a_rendition(session, served.url, image["slug"])


async def test_an_image_whose_object_is_missing_is_a_fault_and_never_gone(
    tmp_path: Path, minio: Server, bucket: str
) -> None:
    async with (
        serving(tmp_path / "data", **environment(minio, bucket)) as served,
        aiohttp.ClientSession() as session,
        looking_into(minio, bucket) as store,
    ):
        _, image = await upload(session, served.url, pictures.camera_photo())
        await until(lambda: not landed(served), "it is shipped")
        assert await shows_a_rendition(session, served.url, image["slug"])
        await store.delete(object_key(image["slug"]))
        (served.data_dir / "spool/copies" / image["slug"]).unlink()
        for version in ("original", "large.jpg"):
            async with session.get(f"{served.url}/i/{image['slug']}/{version}") as reply:
                assert reply.status == 503
                assert (await reply.json())["code"] == "store-unavailable"
                assert int(reply.headers["Retry-After"]) > 0
                assert reply.headers["Cache-Control"] == "no-store"
        assert await shows_a_rendition(session, served.url, image["slug"])
        async with session.get(f"{served.url}/i/{image['slug']}") as reply:
            assert reply.status == 200


async def test_cached_views_go_on_while_the_store_is_away_and_the_others_say_so(
    tmp_path: Path, back_again: Server, bucket: str
) -> None:
    async with (
        serving(tmp_path / "data", **environment(back_again, bucket)) as served,
        aiohttp.ClientSession() as session,
    ):
        _, image = await upload(session, served.url, pictures.camera_photo())
        await until(lambda: not landed(served), "it is shipped")
        assert await shows_a_rendition(session, served.url, image["slug"])
        (served.data_dir / "spool/copies" / image["slug"]).unlink()
        back_again.stop()
        assert await shows_a_rendition(session, served.url, image["slug"])
        async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
            assert reply.status == 503
            assert (await reply.json())["code"] == "store-unavailable"
        await asyncio.to_thread(back_again.start)

        async def is_back() -> bool:
            async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
                return reply.status == 200 and await reply.read() == pictures.camera_photo()

        await until(is_back, "the original can be read again")


async def test_a_download_that_the_store_breaks_off_never_looks_whole(
    tmp_path: Path, back_again: Server, bucket: str
) -> None:
    """What follows a broken reply on its connection would be taken for the rest of the picture."""
    data = padded(60_000_000, 1)
    async with (
        serving(tmp_path / "data", **environment(back_again, bucket)) as served,
        aiohttp.ClientSession() as session,
    ):
        async with session.post(f"{served.url}/api/v1/images?filename=a.jpg", data=pieces(data)) as reply:
            image = await reply.json()
        await until(lambda: not landed(served), "it is shipped")
        (served.data_dir / "spool/copies" / image["slug"]).unlink()
        got = bytearray()
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
                async for chunk in reply.content.iter_chunked(1 << 20):
                    if len(got) < 1 << 20:
                        back_again.stop()
                    got += chunk
        assert data.startswith(bytes(got))
        assert len(got) < len(data)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]
