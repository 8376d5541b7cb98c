"""What lies behind a picture is cut off, by every way in, and whatever fails meanwhile."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.errors import DiskFull
from appliance.spool import Digest, Incoming, Spool
from tests.support.host import Host
from tests.support.images import hidden_places
from tests.support.images.hidden_places import SECRET
from tests.support.images.png_writer import chunk
from tests.support.killed_while_scrubbing import upload_through_a_kill
from tests.support.managed_images import original, resource
from tests.support.tus_client import Tus


def picture() -> bytes:
    return hidden_places.with_chunks()


async def check_cut(host: Host, slug: str) -> None:
    stored, told = await original(host, slug), await resource(host, slug)
    assert stored == picture()
    assert told["bytes"] == len(stored)
    assert told["sha256"] == hashlib.sha256(stored).hexdigest()
    assert told["private_data"] == "removed"


async def test_what_lies_behind_a_picture_is_cut_off_by_every_way_in(host: Host) -> None:
    data = picture() + SECRET
    tus = Tus(host)
    where = await tus.whole(data)
    put = await host.client.put("/a.png", data=data)
    for slug in ((await host.upload(data, "a.png"))["slug"], put.headers["Location"][3:], await tus.slug(where)):
        await check_cut(host, slug)
    assert await tus.offset(where) == len(data), "as many bytes as were announced have come"


async def test_a_repeat_is_known_by_what_was_sent_though_it_was_cut(host: Host) -> None:
    key = {"Idempotency-Key": "a-key-of-sixteen-and-more"}
    replies = [await host.client.post("/api/v1/images", data=picture() + SECRET, headers=key) for _ in range(2)]
    first, again = [(await reply.json())["slug"] for reply in replies]
    assert first == again


async def test_a_fault_behind_the_cut_leaves_an_upload_whole(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    tus, data, catalogue = Tus(host), picture() + SECRET, host.appliance.catalogue
    real = catalogue.images.add
    faults: list[int] = []

    async def add(*arguments: Any, **options: Any) -> None:
        if not faults:
            faults.append(host.appliance.spool.landed_bytes())
            raise DiskFull("The disk is full.")
        await real(*arguments, **options)

    monkeypatch.setattr(catalogue.images, "add", add)
    where = await tus.create(len(data))
    assert (await tus.patch(where, 0, data)).status == 507
    assert faults == [len(picture())], "it had been cut when the fault came"
    assert await tus.offset(where) == len(data)  # which begins it again
    await check_cut(host, await tus.slug(where))


async def test_what_is_taken_back_has_its_length_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, budget_bytes=1, reserve_bytes=0)
    path = spool.uploads.path("upload")
    path.write_bytes(picture() + SECRET)
    await spool.land(Incoming("0" * 17, path, len(picture()), Digest()), {})
    assert spool.landed_path("0" * 17).read_bytes() == picture()
    await spool.take_back("0" * 17, path, len(picture()) + len(SECRET))
    assert path.read_bytes() == picture() + bytes(len(SECRET))
    await spool.close()


async def test_a_kill_in_the_middle_of_it_is_made_good(tmp_path: Path) -> None:
    data = hidden_places.with_chunks(chunk(b"prVt", SECRET * 10_000_000)) + SECRET
    image, stored = await upload_through_a_kill(tmp_path / "data", data)
    assert len(stored) == len(data) - len(SECRET) == image["bytes"]
    assert SECRET not in stored
    assert image["sha256"] == hashlib.sha256(stored).hexdigest()
