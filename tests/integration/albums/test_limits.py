"""The limits that albums meet: how many images they hold, and images too large to resize."""

from dataclasses import replace

from appliance.config.model import AlbumsConfig, Config
from tests.support.albums import changed, made, patch, post, slugs_of, uploaded
from tests.support.host import OpenHost, problem
from tests.support.images import pictures


async def test_the_most_images_are_told_by_the_limits_and_held(open_host: OpenHost) -> None:
    host = await open_host(albums=AlbumsConfig(max_images=2))
    assert (await (await host.get("/api/v1/limits")).json())["albums"] == {"max_images": 2}
    images = await uploaded(host, 3)
    told = await problem(await post(host, images=slugs_of(images)), "too-many-images")
    assert (told["limit"], told["actual"]) == (2, 3)
    album = await made(host, images[:2])
    await problem(await patch(host, album, add=[images[2]["slug"]]), "too-many-images")
    await changed(host, album, add=[images[2]["slug"]], remove=[images[0]["slug"]])


async def test_an_image_that_can_not_be_resized_is_in_the_album_all_the_same(
    open_host: OpenHost, config: Config
) -> None:
    host = await open_host(uploads=replace(config.uploads, max_pixels=1_000_000))
    huge = await host.upload(pictures.png(1200, 900), "huge.png")
    assert huge["state"] == "original-only"
    album = await made(host, [huge])
    for path, words in (("", "huge.png"), (f"/{huge['slug']}", "can’t be shown here"), ("/manage", "huge.png")):
        reply = await host.get(f"/a/{album['slug']}{path}", Accept="text/html")
        assert reply.status == 200
        assert words in await reply.text()
