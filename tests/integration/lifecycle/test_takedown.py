"""Taking down: images and albums end for good without their tokens, by command, against the real server."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.albums.takedown import Takedown, TakenDown
from appliance.commands.takedown import slug_of
from appliance.domain.model import Ending, Tombstone
from tests.support.albums import delete as delete_album
from tests.support.albums import made, patch, slugs_of, uploaded
from tests.support.host import DAY_S, Host, OpenHost, problem
from tests.support.images import pictures
from tests.support.server_process import ServerProcess, serving
from tests.support.shared_caches import stand_in
from tests.support.uploaders import upload
from tests.support.waiting import until

NOBODYS = "0000000000000000A"


def takedown(host: Host) -> Takedown:
    return Takedown(host.appliance.management, host.appliance.albums)


async def take_down(host: Host, image: dict[str, Any]) -> None:
    assert await takedown(host).take_down(image["slug"]) is TakenDown.IMAGE


async def gone_everywhere(host: Host, slug: str) -> None:
    for path in (
        f"/i/{slug}", f"/i/{slug}/manage", f"/i/{slug}/small.jpg", f"/i/{slug}/small", f"/i/{slug}/original",
        f"/i/{slug}.jpg", f"/i/{slug}/preview.jpg", f"/iiif/3/{slug}/info.json", f"/api/v1/images/{slug}",
        f"/iiif/presentation/3/{slug}/manifest.json",
    ):  # fmt: skip
        reply = await host.get(path)
        assert (reply.status, reply.headers["Cache-Control"]) == (410, "no-store"), path


# --- images -----------------------------------------------------------------------------------------------------------


async def test_an_image_that_is_taken_down_is_gone_at_once_and_its_bytes_with_the_next_erasing(
    host: Host, jpeg: bytes
) -> None:
    image = await host.upload(jpeg)
    slug = image["slug"]
    for path in (f"/i/{slug}", f"/i/{slug}/small.jpg", f"/i/{slug}/original"):  # all that is kept in memory has it
        assert (await host.get(path)).status == 200
    await host.all_cached()
    assert await takedown(host).take_down(slug) is TakenDown.IMAGE
    await gone_everywhere(host, slug)
    assert host.files("cache") == []
    assert host.counted("deleted_total") == 1
    assert await host.appliance.image_lifecycle.erase() == 1  # no clock has moved
    assert [path for path in host.files(".") if slug in path.name and "tombstones" not in path.parts] == []
    assert await host.appliance.catalogue.images.get(slug) == Tombstone(slug, Ending.DELETED, int(host.clock()))
    assert await takedown(host).take_down(slug) is TakenDown.GONE_ALREADY
    await gone_everywhere(host, slug)


@pytest.mark.parametrize("back_s", [0, 60])
async def test_its_token_can_not_restore_it_whatever_the_clock_does(host: Host, jpeg: bytes, back_s: int) -> None:
    image = await host.upload(jpeg)
    await take_down(host, image)
    host.clock.forward(-back_s)
    for members in ({"deleted": False}, {"deleted": False, "expires_in": "9d"}, {"expires_in": "9d"}, {"title": "x"}):
        await problem(await host.patch(image["slug"], image["delete_token"], **members), "gone")
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204
    assert await takedown(host).take_down(image["slug"]) is TakenDown.GONE_ALREADY
    await gone_everywhere(host, image["slug"])


async def test_a_deletion_that_could_be_undone_is_final_once_it_is_taken_down(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    await take_down(host, image)
    await problem(await host.patch(image["slug"], image["delete_token"], deleted=False), "gone")
    assert host.counted("deleted_total") == 1


async def test_an_undo_that_was_let_in_before_comes_too_late(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    restore = host.appliance.catalogue.images.restore

    async def overtaken(slug: str, **more: Any) -> Any:
        assert await takedown(host).take_down(slug) is TakenDown.IMAGE
        return await restore(slug, **more)

    monkeypatch.setattr(host.appliance.catalogue.images, "restore", overtaken)
    await problem(await host.patch(image["slug"], image["delete_token"], deleted=False), "gone")
    await gone_everywhere(host, image["slug"])


async def test_an_expired_image_does_not_keep_its_bytes_for_its_grace(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="1d")
    host.clock.forward(DAY_S)
    await host.appliance.image_lifecycle.end()
    await take_down(host, image)
    await problem(await host.patch(image["slug"], image["delete_token"], expires_in="9d"), "gone")
    assert await host.appliance.image_lifecycle.erase() == 1
    assert host.files("store/objects/originals") == []


async def test_a_takedown_is_purged_from_shared_caches(open_host: OpenHost, jpeg: bytes) -> None:
    async with stand_in("cloudflare") as cache:
        host = await open_host(cdn=cache.config())
        image, album_image = await host.upload(jpeg), await host.upload(jpeg)
        album = await made(host, [album_image])
        async with host.appliance.purger.purging:  # so that the rows can be looked at before they are confirmed
            assert await takedown(host).take_down(image["slug"]) is TakenDown.IMAGE
            assert await takedown(host).take_down(album["slug"]) is TakenDown.ALBUM
            owed = await host.appliance.catalogue.purges.due(int(host.clock()), 100)
            assert {purge.tag for purge in owed} == {image["slug"], album["slug"]}
        await until(lambda: set(cache.forgotten) == {image["slug"], album["slug"]})


# --- albums -----------------------------------------------------------------------------------------------------------


async def test_an_album_that_is_taken_down_is_gone_for_good_and_its_images_stay(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images, title="Cats")
    assert await takedown(host).take_down(album["slug"]) is TakenDown.ALBUM
    for path in ("/a/{}", "/a/{}/zip", "/api/v1/albums/{}", f"/a/{{}}/{images[0]['slug']}"):
        await problem(await host.get(path.format(album["slug"])), "album-gone")
    await problem(await patch(host, album, deleted=False), "album-gone")
    host.clock.forward(-60)
    await problem(await patch(host, album, deleted=False), "album-gone")
    assert (await host.get(f"/i/{images[0]['slug']}/original")).status == 200
    assert await host.appliance.album_lifecycle.erase() == 1
    assert await takedown(host).take_down(album["slug"]) is TakenDown.GONE_ALREADY
    await problem(await host.get(f"/a/{album['slug']}"), "album-gone")


async def test_an_album_whose_deletion_could_be_undone_is_final_once_it_is_taken_down(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    await delete_album(host, album)
    assert await takedown(host).take_down(album["slug"]) is TakenDown.ALBUM
    await problem(await patch(host, album, deleted=False), "album-gone")
    assert await takedown(host).take_down(album["slug"]) is TakenDown.GONE_ALREADY


async def test_an_image_that_is_taken_down_leaves_its_albums(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    assert await takedown(host).take_down(images[0]["slug"]) is TakenDown.IMAGE
    shown = await (await host.get(f"/api/v1/albums/{album['slug']}")).json()
    assert slugs_of(shown["images"]) == [images[1]["slug"]]
    assert (await host.get(f"/a/{album['slug']}/{images[0]['slug']}")).status == 410


async def test_what_was_never_here_is_unknown(host: Host) -> None:
    assert await takedown(host).take_down(NOBODYS) is TakenDown.UNKNOWN


# --- the command ------------------------------------------------------------------------------------------------------


async def test_the_command_says_a_line_for_each_and_what_it_said_holds_after_a_kill(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        _, one = await upload(session, served.url, pictures.photo(seed=1))
        _, two = await upload(session, served.url, pictures.photo(seed=2))
        async with session.post(f"{served.url}/api/v1/albums", json={"images": [two["slug"]]}) as reply:
            album = await reply.json()

        done = served.command("takedown", f"{served.url}/i/{one['slug']}/small.jpg", f"{served.url}/a/{album['slug']}")
        served.kill()
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == [
            f"{one['slug']}: the image is taken down.",
            f"{album['slug']}: the album is taken down. Its images keep their own links.",
        ]

        await served.start()
        statuses = []
        for path in (f"/i/{one['slug']}/original", f"/a/{album['slug']}", f"/i/{two['slug']}/original"):
            async with session.get(f"{served.url}{path}") as reply:
                statuses.append(reply.status)
        assert statuses == [410, 410, 200]

        mixed = await asyncio.to_thread(served.command, "takedown", one["slug"], NOBODYS, "no-link", two["slug"])
        assert (mixed.returncode, mixed.stderr) == (1, "")
        assert mixed.stdout.splitlines() == [
            f"{one['slug']}: was already deleted.",
            f"{NOBODYS}: unknown: no image or album has this link.",
            "no-link: unknown: no image or album has this link.",
            f"{two['slug']}: the image is taken down.",
        ]


async def test_without_a_server_the_command_says_so(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    served.data_dir.mkdir()
    done = served.command("takedown", NOBODYS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No server is running on" in done.stderr


ALBUM = "0000000000000000B"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        (NOBODYS, NOBODYS),
        (f"https://img.example.com/i/{NOBODYS}", NOBODYS),
        (f"https://img.example.com/i/{NOBODYS}/manage#token", NOBODYS),
        (f"https://img.example.com/i/{NOBODYS}.jpg?download", NOBODYS),
        (f"http://127.0.0.1:8080/i/{NOBODYS}/small.webp", NOBODYS),
        (f"/i/{NOBODYS}/original", NOBODYS),
        (f"https://img.example.com/iiif/3/{NOBODYS}/full/max/0/default.jpg", NOBODYS),
        (f"https://img.example.com/iiif/presentation/3/{NOBODYS}/manifest.json", NOBODYS),
        (f"https://img.example.com/iiif/presentation/3/{'1' * 17}/canvas/{NOBODYS}", NOBODYS),
        (f"https://img.example.com/i/{NOBODYS}/", NOBODYS),
        (f"https://img.example.com/api/v1/images/{NOBODYS}", NOBODYS),
        (f"https://img.example.com/api/v1/albums/{ALBUM}", ALBUM),
        (f"https://img.example.com/a/{ALBUM}", ALBUM),
        (f"https://img.example.com/a/{ALBUM}/zip", ALBUM),
        (f"https://img.example.com/a/{ALBUM}/{NOBODYS}", NOBODYS),
        (f"https://img.example.com/i/{NOBODYS}B", None),
        (f"https://img.example.com/{NOBODYS}", None),
        ("https://img.example.com/i/short", None),
        ("https://img.example.com/", None),
        ("", None),
    ],
)
def test_slugs_are_found_in_links(text: str, slug: str | None) -> None:
    assert slug_of(text) == slug
