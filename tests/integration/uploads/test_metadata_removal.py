"""What is private leaves originals, by every way in, unless it is to stay; and it is told what became of it."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import FormData

from appliance.domain.errors import DiskFull
from appliance.spool import disk, transfers
from appliance.workers.pending_orders import Reply
from appliance.workers.protocol import Examine, FindPrivate, Order
from appliance.workers.supervised_worker import SupervisedWorker
from tests.support.host import Host, OpenHost
from tests.support.images import pictures, private_pictures
from tests.support.images.private_pictures import secrets_in
from tests.support.killed_while_scrubbing import upload_through_a_kill
from tests.support.managed_images import original, resource
from tests.support.programs import require
from tests.support.server_process import serving
from tests.support.tus_client import Tus, checksum

FORMATS = {
    "photo.jpg": private_pictures.jpeg,
    "photo.png": private_pictures.png,
    "photo.webp": private_pictures.webp,
    "photo.avif": private_pictures.avif,
    "photo.gif": private_pictures.gif,
    "photo.tiff": private_pictures.tiff,
}
BROWSER = {"Accept": "text/html"}


async def check_removed(host: Host, slug: str, sent: bytes) -> None:
    """The stored bytes are those that sha256 and bytes tell of, and hold nothing private."""
    stored, told = await original(host, slug), await resource(host, slug)
    assert told["private_data"] == "removed"
    assert told["sha256"] == hashlib.sha256(stored).hexdigest()
    assert told["bytes"] == len(stored) == len(sent)
    assert secrets_in(sent)
    assert secrets_in(stored) == []


# --- ways in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
async def test_nothing_private_is_stored_of_any_format(host: Host, name: str) -> None:
    data = FORMATS[name]()
    image = await host.upload(data, name)
    await check_removed(host, image["slug"], data)
    assert pictures.opened(await original(host, image["slug"])).size == (64, 48)


async def test_nothing_private_is_stored_of_a_heic(host: Host) -> None:
    try:
        data = private_pictures.heic()
    except AssertionError:
        require("heif-enc", "Debian's libheif-examples brings it")
    image = await host.upload(data, "photo.heic")
    await check_removed(host, image["slug"], data)
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200


async def test_every_way_in_takes_it_out(host: Host) -> None:
    data = private_pictures.jpeg()
    raw = await host.client.post("/api/v1/images?filename=a.jpg", data=data)
    put = await host.client.put("/a.jpg", data=data)
    form = await host.client.post("/", data=_form("file", data), headers=BROWSER)
    chevereto = await host.client.post("/api/1/upload", data=_form("source", data))
    tus = await Tus(host).slug(await Tus(host).whole(data))
    slugs = [(await raw.json())["slug"], put.headers["Location"][3:], form.headers["Location"][3:]]
    for slug in (*slugs, (await chevereto.json())["image"]["id_encoded"], tus):
        await check_removed(host, slug, data)


@pytest.mark.parametrize("said", ["true", "1", "on", "Yes"])
async def test_every_way_in_can_keep_it(host: Host, said: str) -> None:
    data = private_pictures.jpeg()
    raw = await host.client.post(f"/api/v1/images?keep_metadata={said}", data=data)
    put = await host.client.put(f"/a.jpg?keep_metadata={said}", data=data)
    form = await host.client.post("/", data=_form("file", data, keep_metadata=said), headers=BROWSER)
    chevereto = await host.client.post("/api/1/upload", data=_form("source", data, keep_metadata=said))
    tus = await Tus(host).slug(await Tus(host).whole(data, keep_metadata=said))
    slugs = [(await raw.json())["slug"], put.headers["Location"][3:], form.headers["Location"][3:]]
    for slug in (*slugs, (await chevereto.json())["image"]["id_encoded"], tus):
        assert await original(host, slug) == data
        assert (await resource(host, slug))["private_data"] == "kept"


def _form(field: str, data: bytes, **fields: str) -> FormData:
    form = FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field(field, data, filename="a.jpg")
    return form


# --- what is told -------------------------------------------------------------------------------------------------


async def test_a_picture_without_anything_private_is_stored_as_it_came(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    assert image["private_data"] == "none"
    assert await original(host, image["slug"]) == jpeg


async def test_what_can_not_be_cleaned_is_told(host: Host) -> None:
    image = await host.upload(pictures.animated("gif")[:-1] + b"?")
    assert image["private_data"] == "not-removable"
    assert (
        "Some private data in the original could not be removed" in await (await host.get(f"/i/{image['slug']}")).text()
    )


async def test_the_pages_tell_what_became_of_it(host: Host, jpeg: bytes) -> None:
    assert 'name="keep_metadata"' in await (await host.get("/")).text()
    removed = await host.upload(private_pictures.jpeg())
    kept = await host.upload(private_pictures.jpeg(), keep_metadata="1")
    plain = await host.upload(jpeg)
    pages = [await (await host.get(f"/i/{image['slug']}")).text() for image in (removed, kept, plain)]
    assert "was removed from the original" in pages[0]
    assert "may reveal where, when, with which device" in pages[1]
    assert "taken" not in pages[2]


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "png", "gif"])
async def test_renditions_carry_none_even_where_the_original_keeps_it(host: Host, extension: str) -> None:
    image = await host.upload(private_pictures.jpeg(), keep_metadata="1")
    rendition = await (await host.get(f"/i/{image['slug']}/small.{extension}")).read()
    assert secrets_in(rendition) == []
    assert dict(pictures.opened(rendition).getexif()) == {}
    assert not {b"Exif\0\0", b"eXIf", b"xmpmeta"} & {
        part for part in (b"Exif\0\0", b"eXIf", b"xmpmeta") if part in rendition
    }


# --- repeats, checksums, parts ------------------------------------------------------------------------------------


async def test_a_repeat_is_known_by_what_was_sent(host: Host) -> None:
    data, key = private_pictures.jpeg(), {"Idempotency-Key": "a-key-of-sixteen-and-more"}
    first, again = [await host.client.post("/api/v1/images", data=data, headers=key) for _ in range(2)]
    assert (await first.json())["slug"] == (await again.json())["slug"]
    kept = await host.client.post("/api/v1/images?keep_metadata=1", data=data, headers=key)
    assert (await kept.json())["code"] == "idempotency-key-reused"


async def test_checksums_are_those_of_what_was_sent(host: Host) -> None:
    tus, data = Tus(host), private_pictures.jpeg()
    where = await tus.create(len(data))
    for start, end in ((0, 100), (100, len(data))):
        piece = data[start:end]
        reply = await tus.patch(where, start, piece, headers=checksum("sha1", hashlib.sha1(piece).digest()))
        assert reply.headers["Upload-Offset"] == str(end)
    assert await tus.offset(where) == len(data)
    await check_removed(host, await tus.slug(where), data)


async def test_what_is_cut_between_two_parts_is_found(host: Host) -> None:
    tus, data = Tus(host), private_pictures.jpeg()
    cut = data.index(b"SERIAL-4711") + 3
    parts = [await tus.part(data[:cut]), await tus.part(data[cut:])]
    where = await tus.created(await tus.post(headers={"Upload-Concat": f"final;{' '.join(parts)}"}))
    await check_removed(host, await tus.slug(where), data)


# --- faults and crashes -------------------------------------------------------------------------------------------


async def test_a_disk_that_fails_in_the_middle_is_tried_again(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = transfers.overwrite, []

    def half(incoming: Any, edits: Any) -> Any:
        tries.append(edits)
        if len(tries) == 1:
            real(incoming, edits[:1])
            raise DiskFull("The disk is full.")
        return real(incoming, edits)

    monkeypatch.setattr(disk, "overwrite", half)
    host = await open_host()
    tus, data = Tus(host), private_pictures.jpeg()
    where = await tus.create(len(data))
    assert (await tus.patch(where, 0, data)).status == 507
    assert await tus.offset(where) == len(data)  # which begins it again
    await check_removed(host, await tus.slug(where), data)
    assert tries[1] == tries[0]


@pytest.mark.parametrize(
    ("deadly", "private_data"), [((Examine,), "removed"), ((Examine, FindPrivate), "not-removable")]
)
async def test_a_worker_that_dies_of_it_leaves_the_picture_and_says_so(
    host: Host, monkeypatch: pytest.MonkeyPatch, deadly: tuple[type[Order], ...], private_data: str
) -> None:
    """What the file is, and what of it is private, are asked one after another where both at once were too much."""
    workers, data, real = host.appliance.workers, private_pictures.jpeg(), SupervisedWorker.run

    async def run(slot: SupervisedWorker, order: Order, fds: Sequence[int], deadline_s: float) -> Reply:
        if isinstance(order, deadly):
            await slot.ready()
            assert slot.process is not None
            os.kill(slot.process.pid, signal.SIGSTOP)  # it can't answer before it dies
            asyncio.get_running_loop().call_soon(slot.process.kill)
        return await real(slot, order, fds, deadline_s)

    monkeypatch.setattr(SupervisedWorker, "run", run)
    image = await host.upload(data)
    assert image["private_data"] == private_data
    assert workers.deaths == len(deadly)
    assert (await original(host, image["slug"]) == data) is (private_data == "not-removable")
    monkeypatch.undo()
    await check_removed(host, (await host.upload(data))["slug"], data)


async def test_a_kill_in_the_middle_of_it_leaves_nothing_behind(tmp_path: Path) -> None:
    note = b"NOTE-OF-THE-MAKER " * 10_000_000
    data = private_pictures.tiff(pages=1, note=note)
    image, stored = await upload_through_a_kill(tmp_path / "data", data)
    assert image["private_data"] == "removed"
    assert image["sha256"] == hashlib.sha256(stored).hexdigest()
    assert secrets_in(stored) == []


async def test_what_became_of_it_survives_the_loss_of_the_catalogue(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        images = []
        for query in ("", "?keep_metadata=1"):
            async with session.post(f"{served.url}/api/v1/images{query}", data=private_pictures.jpeg()) as reply:
                images.append(await reply.json())
        await served.stop()
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.unlink()
        assert served.command("catalogue", "rebuild").returncode == 0
        await served.start()
        for image in images:
            async with session.get(f"{served.url}/api/v1/images/{image['slug']}") as reply:
                assert (await reply.json())["private_data"] == image["private_data"]
    assert [image["private_data"] for image in images] == ["removed", "kept"]
