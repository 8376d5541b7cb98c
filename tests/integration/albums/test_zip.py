"""An album as a zip file: whole, in order, with names for every system, streamed from wherever its originals are."""

import asyncio
import hashlib
import io
import struct
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError

from appliance.albums import Contents
from appliance.albums.zip_download import AlbumZip, entry_names
from appliance.delivery.service import Original
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Album
from appliance.http.keys import RESUMED_ZIPS
from appliance.http.links import EXTENSIONS
from appliance.http.views.album_zip import zip_name
from tests.support.albums import changed, delete, made, unzipped, uploaded
from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.images.noise import padded
from tests.support.rows import image
from tests.support.waiting import until


async def _originals(host: Host, images: list[dict[str, object]]) -> list[bytes]:
    return [await (await host.get(f"/i/{image['slug']}/original")).read() for image in images]


async def test_every_original_is_in_it_in_order_under_its_name(host: Host) -> None:
    images = await uploaded(host, 3)
    named = await host.client.post("/api/v1/images", data=pictures.png(9, 9), params={"filename": "Grüße 🦊.png"})
    images.append(await named.json())
    album = await made(host, images, title="Über uns")
    response = await host.get(f"/a/{album['slug']}/zip")
    assert response.content_type == "application/zip"
    assert "attachment" in response.headers["Content-Disposition"]
    assert "%C3%9Cber%20uns.zip" in response.headers["Content-Disposition"]
    assert response.headers["Cache-Control"] == "no-store"
    files = await unzipped(response)
    assert list(files) == ["1 photo-1.jpg", "2 photo-2.jpg", "3 photo-3.jpg", "4 Grüße 🦊.png"]
    assert list(files.values()) == await _originals(host, images)
    await changed(host, album, order=[images[3]["slug"]], remove=[images[0]["slug"]])
    files = await unzipped(await host.get(f"/a/{album['slug']}/zip"))
    assert list(files) == ["1 Grüße 🦊.png", "2 photo-2.jpg", "3 photo-3.jpg"]


async def test_head_tells_its_length(host: Host) -> None:
    album = await made(host, await uploaded(host, 2))
    head = await host.client.head(f"/a/{album['slug']}/zip")
    whole = await (await host.get(f"/a/{album['slug']}/zip")).read()
    assert int(head.headers["Content-Length"]) == len(whole)


async def test_each_download_has_the_same_bytes_and_the_times_of_the_uploads(host: Host) -> None:
    album = await made(host, await uploaded(host, 2))
    first = await host.get(f"/a/{album['slug']}/zip")
    data = await first.read()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        created = datetime.fromtimestamp(int(host.clock()), UTC)
        created = created.replace(second=created.second // 2 * 2)
        assert {entry.date_time for entry in archive.infolist()} == {created.timetuple()[:6]}
        at = [entry.header_offset for entry in archive.infolist()]
        times = {struct.unpack_from("<HH", data, place + 10) for place in at}  # in the headers before the files
    date, time = (created.year - 1980) << 9 | created.month << 5 | created.day, created.hour << 11 | created.minute << 5
    assert times == {(time | created.second // 2, date)}
    second = await host.get(f"/a/{album['slug']}/zip")
    assert await second.read() == data
    assert second.headers["ETag"] == first.headers["ETag"]
    head = await host.client.head(f"/a/{album['slug']}/zip")
    assert (head.headers["ETag"], head.headers["Accept-Ranges"]) == (first.headers["ETag"], "bytes")


async def test_any_range_is_what_a_slice_of_the_whole_is(host: Host) -> None:
    album = await made(host, await uploaded(host, 3))
    path = f"/a/{album['slug']}/zip"
    whole = await (await host.get(path)).read()
    size = len(whole)
    for first, last in (
        (0, 0),
        (0, size - 1),
        (1, 30),
        (size // 2, size // 2 + 5),
        (size // 3, size - 1),
        (size - 1,) * 2,
    ):
        reply = await host.get(path, Range=f"bytes={first}-{last}")
        assert (reply.status, await reply.read()) == (206, whole[first : last + 1])
        assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    reply = await host.get(path, Range="bytes=-22")
    assert (reply.status, await reply.read()) == (206, whole[-22:])
    await problem(await host.get(path, Range=f"bytes={size}-", Accept="application/json"), "range-not-satisfiable")
    await until(lambda: host.client.app[RESUMED_ZIPS].in_use == 0)


async def test_a_changed_album_has_another_etag_and_is_not_resumed_under_the_old_one(host: Host) -> None:
    images = await uploaded(host, 3)
    album = await made(host, images[:2])
    path = f"/a/{album['slug']}/zip"
    reply = await host.get(path)
    before, etag = await reply.read(), reply.headers["ETag"]
    assert (await host.get(path, If_None_Match=etag)).status == 304
    reply = await host.get(path, Range="bytes=5-", If_Range=etag)
    assert (reply.status, await reply.read()) == (206, before[5:])
    await changed(host, album, title="Only the name of the file changes")
    assert (await host.get(path, If_None_Match=etag)).status == 304
    await changed(host, album, add=[images[2]["slug"]])
    reply = await host.get(path, Range="bytes=5-", If_Range=etag)
    assert (reply.status, len(await unzipped(reply))) == (200, 3)
    assert reply.headers["ETag"] != etag


async def test_wget_and_curl_resume_a_download(host: Host, tmp_path: Path) -> None:
    album = await made(host, [await host.upload(padded(900_000, 1)), *await uploaded(host, 2)])
    whole = await (await host.get(f"/a/{album['slug']}/zip")).read()
    url = f"http://127.0.0.1:{host.port}/a/{album['slug']}/zip"
    for program in (("wget", "-q", "-c", "-O"), ("curl", "-s", "-S", "-C", "-", "-o")):
        for begun in (1, 500_000, len(whole) - 1, len(whole)):
            file = tmp_path / f"{program[0]}-{begun}.zip"
            file.write_bytes(whole[:begun])
            process = await asyncio.create_subprocess_exec(*program, str(file), url)
            assert (await process.wait() == 0) or begun == len(whole)  # there is no more: they say so in their own ways
            assert file.read_bytes() == whole


async def test_those_who_resume_are_few_at_once(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    limit = host.client.app[RESUMED_ZIPS]
    async with AsyncExitStack() as held:
        for _ in range(limit.limit):
            await held.enter_async_context(limit.permit("127.0.0.1"))
        await problem(await host.get(f"/a/{album['slug']}/zip", Range="bytes=1-", Accept="application/json"), "busy")
        assert (await host.get(f"/a/{album['slug']}/zip", Range="bytes=0-5")).status == 206
    assert (await host.get(f"/a/{album['slug']}/zip", Range="bytes=1-")).status == 206


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("AC/DC", "AC_DC.zip"),
        ("a\\b/c", "a_b_c.zip"),
        ("../../etc", "_.._etc.zip"),
        ("Holidays", "Holidays.zip"),
        ("...", "image.zip"),
        (None, "album.zip"),
        ("", "album.zip"),
    ],
)
def test_the_name_of_the_file_is_the_whole_title(title: str | None, name: str) -> None:
    assert zip_name(title) == name


async def test_originals_that_are_only_in_the_store_are_streamed_from_there(host: Host) -> None:
    images = await uploaded(host, 3)
    album = await made(host, images)
    originals = await _originals(host, images)
    await host.appliance.shipper.check_and_enqueue()
    for one in images[:2]:
        (host.appliance.config.spool_dir / "copies" / one["slug"]).unlink()
    before = host.files("spool")
    files = await unzipped(await host.get(f"/a/{album['slug']}/zip"))
    assert list(files.values()) == originals
    assert host.files("spool") == before  # no temporary file, and no copy either


async def test_a_store_that_is_away_is_told_before_the_first_byte_and_breaks_off_after_it(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    await host.appliance.shipper.check_and_enqueue()

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("It is away.")

    host.appliance.store.open = away  # type: ignore[method-assign, assignment]
    (host.appliance.config.spool_dir / "copies" / images[1]["slug"]).unlink()
    response = await host.get(f"/a/{album['slug']}/zip")
    assert response.status == 200
    with pytest.raises(ClientError):
        await response.read()
    (host.appliance.config.spool_dir / "copies" / images[0]["slug"]).unlink()
    await problem(await host.get(f"/a/{album['slug']}/zip"), "store-unavailable")


async def test_a_client_that_leaves_leaves_no_original_open(host: Host) -> None:
    photo = padded(3_000_000, 1)
    images = [await host.upload(photo, f"{number}.jpg") for number in range(3)]
    album = await made(host, images)
    opened = host.appliance.delivery.original
    sources: list[Any] = []

    async def noted(*args: Any) -> Original:
        original = await opened(*args)
        sources.append(original.source)
        return original

    host.appliance.delivery.original = noted  # type: ignore[method-assign, assignment]
    response = await host.get(f"/a/{album['slug']}/zip")
    await response.content.readany()
    response.close()
    assert sources
    await until(lambda: all(source.closed for source in sources))
    assert len(sources) < len(images), "it left before the last original"


async def test_it_takes_no_memory_to_speak_of(host: Host) -> None:
    """A hundred megabytes of originals pass through blocks of a quarter."""
    photo = padded(25_200_000, 1)
    images = [await host.upload(photo, f"{number}.jpg") for number in range(4)]
    album = await made(host, images)
    tracemalloc.start()
    try:
        response = await host.get(f"/a/{album['slug']}/zip")
        digest, size = hashlib.sha256(), 0
        async for block in response.content.iter_chunked(1 << 16):
            digest.update(block)
            size += len(block)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == int(response.headers["Content-Length"]) > 100_000_000
    assert peak < 16_000_000


async def test_a_deleted_album_gives_no_zip(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    await delete(host, album)
    await problem(await host.get(f"/a/{album['slug']}/zip"), "album-gone")


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("cat.jpg", "1 cat.jpg"),
        ("cat.JPEG", "1 cat.JPEG"),
        ("cat.exe", "1 cat.exe.jpg"),
        ("cat", "1 cat.jpg"),
        ("CON", "1 CON.jpg"),
        ("a:b?c*.jpg", "1 a_b_c_.jpg"),
        ("..\\..\\etc.jpg", "1 _.._etc.jpg"),
        ("../../etc/passwd", "1 _.._etc_passwd.jpg"),
        ("cat. .jpg", "1 cat.jpg"),
        (".jpg", "1 image.jpg"),
        ("Katze \u0301.jpg", "1 Katze \u0301.jpg"),
        ("🦊" * 60 + ".jpg", "1 " + "🦊" * 48 + ".jpg"),
    ],
)
def test_names_are_safe_on_every_system(filename: str, name: str) -> None:
    [entry] = entry_names([image(filename=filename)], EXTENSIONS)
    assert entry == name
    assert len(entry.encode()) <= 200


def test_names_are_numbered_so_that_they_sort_as_the_album_and_no_two_are_the_same() -> None:
    names = list(entry_names([image(number, filename="CAT.jpg") for number in range(120)], EXTENSIONS))
    assert names[0] == "001 CAT.jpg"
    assert names == sorted(names)
    assert len({name.lower() for name in names}) == 120


class _Zeroes:
    """A delivery whose originals are zeroes, of any size."""

    async def original(self, image: object) -> "_Zeroes":
        self.left = image.bytes  # type: ignore[attr-defined]
        return self

    async def blocks(self) -> AsyncIterator[bytes]:
        block = bytes(1 << 26)
        while self.left:
            yield block[: min(self.left, len(block))]
            self.left -= min(self.left, len(block))

    async def close(self) -> None:
        pass


@pytest.mark.long
async def test_more_than_four_gigabytes_are_a_zip64_that_unzips(tmp_path: Path) -> None:
    big = [replace(image(number), bytes=size) for number, size in enumerate((5_000_000_000, 7, 4_400_000_000))]
    album = Album("a" * 17, tuple(one.slug for one in big), "", 0, 0)
    download = AlbumZip(Contents(album, tuple(big)), _Zeroes(), EXTENSIONS)  # type: ignore[arg-type]
    path = tmp_path / "big.zip"
    written = 0
    with path.open("wb") as file:
        async for block in download.blocks():
            written += len(block)
            if len(block) > 1 << 20 and not any(block[:64]):
                file.seek(len(block), 1)  # zeroes need no disk
            else:
                file.write(block)
    assert written == download.length == path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        assert [entry.file_size for entry in archive.infolist()] == [one.bytes for one in big]
        assert len(archive.read(archive.namelist()[1])) == 7
