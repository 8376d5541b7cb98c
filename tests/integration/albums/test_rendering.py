"""Albums of many pictures: their pages and resources are made off the event loop, and only when they would change."""

import threading
from collections.abc import Iterator

import pytest

from appliance.domain.model import Image
from appliance.http.api import image_resource
from appliance.http.localization.languages import ENGLISH
from appliance.http.pages.background_rendering import BackgroundRenderer
from appliance.http.pages.rendition_links import nearest_rendition_link, rendition_links
from appliance.http.pages.templates import PageTemplates
from tests.support.albums import BROWSER, changed, made, manage, uploaded
from tests.support.host import Host


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bool]]]:
    """What was rendered of albums, and whether on the loop's thread."""
    done: list[tuple[str, bool]] = []
    page, described, loops = PageTemplates.render, image_resource.image_resource, threading.current_thread()

    def render(templates: PageTemplates, template: str, **values: object) -> str:
        done.append((template, threading.current_thread() is loops))
        return page(templates, template, **values)

    def counted(image: Image, *args: object) -> object:
        done.append(("resource", threading.current_thread() is loops))
        return described(image, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(PageTemplates, "render", render)
    monkeypatch.setattr("appliance.http.api.album_resource.image_resource", counted)
    yield done


@pytest.mark.parametrize("path", ["/a/{}", "/a/{}/manage", "/api/v1/albums/{}"])
async def test_a_repeated_request_is_rendered_once_and_off_the_event_loop(
    host: Host, rendered: list[tuple[str, bool]], path: str
) -> None:
    album = await made(host, await uploaded(host, 2), title="First")
    rendered.clear()
    answers = [await (await host.get(path.format(album["slug"]), **BROWSER)).text() for _ in range(3)]
    assert len(set(answers)) == 1
    assert len(rendered) == (2 if "api" in path else 1)
    rendered.clear()
    await changed(host, album, title="Second")
    again = await (await host.get(path.format(album["slug"]), **BROWSER)).text()
    assert "Second" in again
    assert rendered
    assert not any(on_loop for _, on_loop in rendered)


async def test_a_picture_that_changes_or_ends_changes_the_album(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    path = f"/a/{album['slug']}"
    assert "photo-1.jpg" in await (await host.get(path)).text()
    await host.patch(images[0]["slug"], images[0]["delete_token"], alt="A boat")
    assert "A boat" in await (await host.get(path)).text()
    await host.delete(images[0]["slug"], images[0]["delete_token"])
    assert "A boat" not in await (await host.get(path)).text()
    host.clock.forward(200 * 86_400)
    later = await (await host.get(path)).text()
    assert "in 5 months" in later


async def test_no_form_of_an_album_is_rendered_on_the_loop(host: Host, rendered: list[tuple[str, bool]]) -> None:
    album = await made(host, await uploaded(host, 2))
    rendered.clear()
    assert (await manage(host, album, title="New")).status == 200
    assert (await manage(host, album, action="nothing")).status == 400
    assert rendered
    assert not any(on_loop for name, on_loop in rendered if name == "album-manage.html")


async def test_a_tile_is_the_same_size_as_among_all_of_them(host: Host) -> None:
    images = await uploaded(host, 1)
    image = await host.appliance.catalogue.images.get(images[0]["slug"])
    assert isinstance(image, Image)
    config = host.appliance.config.renditions
    for box_px in (0, 100, 512, 5000):
        near = nearest_rendition_link(image, config, ENGLISH, box_px)
        every = rendition_links(image, config, ENGLISH, {})
        assert near is not None
        wanted = min(every, key=lambda one: abs(max(one.width, one.height) - box_px))
        assert (near.path, near.width, near.height) == (wanted.path, wanted.width, wanted.height)


async def test_the_least_recently_used_answers_make_room(host: Host) -> None:
    rendering = BackgroundRenderer(max_cached_bytes=25)
    asked: list[int] = []

    def answer(number: int) -> bytes:
        asked.append(number)
        return b"ten bytes."

    for number in (1, 2, 1, 3, 1, 2):
        assert await rendering.cached("one", number, lambda number=number: answer(number)) == b"ten bytes."  # type: ignore[misc]
    assert asked == [1, 2, 3, 2]
    await rendering.close()
