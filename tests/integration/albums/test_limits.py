"""How many images an album takes."""

from appliance.config.model import Albums
from tests.support.albums import changed, made, patch, post, slugs_of, uploaded
from tests.support.host import OpenHost, problem


async def test_the_most_images_are_told_by_the_limits_and_held(open_host: OpenHost) -> None:
    host = await open_host(albums=Albums(max_images=2))
    assert (await (await host.get("/api/v1/limits")).json())["albums"] == {"max_images": 2}
    images = await uploaded(host, 3)
    told = await problem(await post(host, images=slugs_of(images)), "too-many-images")
    assert (told["limit"], told["actual"]) == (2, 3)
    album = await made(host, images[:2])
    await problem(await patch(host, album, add=[images[2]["slug"]]), "too-many-images")
    await changed(host, album, add=[images[2]["slug"]], remove=[images[0]["slug"]])
