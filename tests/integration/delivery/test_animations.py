"""Animations through the whole host: what moves, and how it is told where it does not."""

import io

from PIL import Image

from appliance.config.model import Renditions
from tests.support.host import Host, OpenHost
from tests.support.images import pictures


async def frames_of(host: Host, address: str) -> int:
    picture = Image.open(io.BytesIO(await (await host.get(address)).read()))
    return getattr(picture, "n_frames", 1)


async def test_sizes_within_the_budget_move_and_say_so(host: Host) -> None:
    made = await host.upload(pictures.animated("gif", frames=6), "a.gif")
    assert made["frames"] == 6
    assert {each["animated"] for each in made["renditions"].values()} == {True}
    assert "still" not in made
    slug = made["slug"]
    assert await frames_of(host, f"/i/{slug}/thumbnail.webp") == 6
    assert await frames_of(host, f"/i/{slug}/thumbnail.gif") == 6
    assert await frames_of(host, f"/i/{slug}/thumbnail.jpg") == 1


async def test_sizes_over_the_budget_show_the_first_frame_and_say_so(open_host: OpenHost) -> None:
    host = await open_host(renditions=Renditions(workers=1, prewarm=(), animation_pixels=6 * 256 * 192))
    made = await host.upload(pictures.animated("gif", frames=6, width=400, height=300), "a.gif")
    told = {name: each["animated"] for name, each in made["renditions"].items()}
    assert told == {"thumbnail": True, "small": False, "medium": False, "medium-large": False, "large": False}
    assert "small, medium, medium-large, large" in made["still"]
    slug = made["slug"]
    assert await frames_of(host, f"/i/{slug}/thumbnail.webp") == 6
    assert await frames_of(host, f"/i/{slug}/small.webp") == 1
    page = await (await host.get(f"/i/{slug}")).text()
    assert "Larger sizes show only the first frame. The original is animated." in page
    assert f'src="/i/{slug}/thumbnail.webp" srcset="/i/{slug}/thumbnail.webp 256w"' in page  # the largest that moves


async def test_an_animation_that_turns_out_unreadable_is_told_from_then_on(open_host: OpenHost) -> None:
    host = await open_host()
    noise = [Image.effect_noise((64, 48), 90) for _ in range(3)]
    data = bytearray(pictures.saved(noise[0], "webp", save_all=True, append_images=noise[1:], lossless=True))
    second = data.index(b"ANMF", data.index(b"ANMF") + 4)
    data[second + 60 : second + 1060] = b"\xff" * 1000  # behind the frame's header, which the inspection reads
    broken = bytes(data)
    made = await host.upload(broken, "a.webp")
    assert await frames_of(host, f"/i/{made['slug']}/thumbnail.webp") == 1
    told = await (await host.get(f"/api/v1/images/{made['slug']}")).json()
    assert told["still"].startswith("The sizes show the first frame. The animation couldn't be read to the end")
    assert {each["animated"] for each in told["renditions"].values()} == {False}
    assert "The sizes show only the first frame of the animation" in await (await host.get(f"/i/{made['slug']}")).text()


async def test_pages_and_sequences_tell_how_many_there_are(host: Host) -> None:
    made = await host.upload(pictures.tiff(pages=3), "scan.tif")
    assert made["frames"] == 3
    assert made["still"] == "The sizes show the first of 3 images in the file."
    assert "The file contains 3 images. The first one is shown." in await (await host.get(f"/i/{made['slug']}")).text()
