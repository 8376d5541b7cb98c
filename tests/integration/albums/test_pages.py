"""The pages of albums as a browser without a script gets and sends them."""

import re

import pytest
from aiohttp import ClientResponse

from tests.support.albums import BROWSER, delete, made, manage, send, shown, slugs_of, uploaded
from tests.support.host import Host, problem
from tests.support.images import pictures

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def host(shared: Host) -> Host:
    """One for all: no test here moves its clock."""
    return shared


async def page(host: Host, path: str, **headers: str) -> str:
    response = await host.client.get(path, headers=BROWSER | headers)
    assert response.status == 200
    assert response.content_type == "text/html"
    return await response.text()


# --- looking ------------------------------------------------------------------------------------------------------


async def test_the_page_shows_every_picture_in_order_with_its_size_told_ahead(host: Host) -> None:
    images = await uploaded(host, 3)
    album = await made(host, images, title="Ende & <Anfang>")
    text = await page(host, f"/a/{album['slug']}")
    assert "Ende &amp; &lt;Anfang&gt;" in text
    links = re.findall(
        rf'<li id="\w+"><a href="/a/{album["slug"]}/(\w+)"><img [^>]* width="(\d+)" height="(\d+)"', text
    )
    assert links == [(image["slug"], str(image["width"]), str(image["height"])) for image in images]
    assert "3 images" in text
    assert f'href="/a/{album["slug"]}/zip"' in text


async def test_the_page_has_metadata_for_previews_and_search_engines(host: Host) -> None:
    images = [await host.upload(pictures.photo(2000, 1000)), *await uploaded(host, 1)]
    album = await made(host, images, title="Holidays")
    response = await host.client.get(f"/a/{album['slug']}", headers=BROWSER)
    text = await response.text()
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in text
    said = dict(re.findall(r'<meta property="og:(\S+)" content="([^"]*)">', text))
    assert said["title"] == "Holidays"
    assert said["description"] == "2 images"
    assert said["url"] == album["url"]
    assert said["image"].endswith(f"/i/{images[0]['slug']}/preview.jpg")
    assert (said["image:width"], said["image:height"]) == ("1024", "512")


async def test_the_page_is_revalidated_and_changes_when_an_image_ends(host: Host) -> None:
    images = await uploaded(host, 2)
    album = await made(host, images)
    path = f"/a/{album['slug']}"
    first = await host.client.get(path, headers=BROWSER)
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert sorted(first.headers.getall("Vary")) == ["Accept-Encoding", "Accept-Language"]
    etag = first.headers["ETag"]
    again = await host.client.get(path, headers=BROWSER | {"If-None-Match": etag})
    assert (again.status, again.headers["Vary"]) == (304, "Accept-Language")
    await host.delete(images[0]["slug"], images[0]["delete_token"])
    changed = await host.client.get(path, headers=BROWSER | {"If-None-Match": etag})
    assert changed.status == 200
    assert images[0]["slug"] not in await changed.text()


async def test_an_image_in_its_album_knows_its_neighbours(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images)
    base = f"/a/{album['slug']}"
    text = await page(host, f"{base}/{second}")
    assert "2 of 3" in text
    assert f'rel="prev" href="{base}/{first}"' in text
    assert f'rel="next" href="{base}/{third}"' in text
    assert f'<link rel="canonical" href="{images[1]["url"]}">' in text
    assert f'href="/i/{second}"' in text
    assert 'rel="prev" href' not in await page(host, f"{base}/{first}")
    assert 'rel="next" href' not in await page(host, f"{base}/{third}")


async def test_an_image_that_is_not_in_the_album_is_not_found_in_it(host: Host) -> None:
    inside, outside, gone = await uploaded(host, 3)
    album = await made(host, [inside, gone])
    await problem(await host.get(f"/a/{album['slug']}/{outside['slug']}"), "not-found")
    await problem(await host.get(f"/a/{album['slug']}/{'0' * 17}"), "not-found")
    await host.delete(gone["slug"], gone["delete_token"])
    await problem(await host.get(f"/a/{album['slug']}/{gone['slug']}"), "gone")
    await delete(host, album)
    await problem(await host.get(f"/a/{album['slug']}/{inside['slug']}"), "album-gone")


async def test_the_cover_and_the_description_stand_for_the_album(host: Host) -> None:
    first, second = await uploaded(host, 2)
    album = await made(host, [first, second], title="Holidays", description="By the <sea>", cover=second["slug"])
    text = await page(host, f"/a/{album['slug']}")
    said = dict(re.findall(r'<meta property="og:(\S+)" content="([^"]*)">', text))
    assert said["description"] == "By the &lt;sea&gt;"
    assert f"/i/{second['slug']}/preview.jpg" in said["image"]
    assert f"[img]{second['url']}/medium.jpg[/img]" in text


async def test_an_albums_page_leads_to_its_oembed_which_links_it_with_its_cover(host: Host) -> None:
    first, second = await uploaded(host, 2)
    album = await made(host, [first, second], title="Holidays", cover=second["slug"])
    [address] = re.findall(r'json\+oembed" href="([^"]+)"', await page(host, f"/a/{album['slug']}"))
    response = await host.get(address[address.index("/oembed") :])
    told = await response.json()
    assert (told["type"], told["title"]) == ("link", "Holidays")
    assert told["thumbnail_url"].startswith(f"{second['url']}/")
    assert "url" not in told
    assert response.headers["Cache-Tag"] == album["slug"]
    await delete(host, album)
    await problem(await host.get(address[address.index("/oembed") :]), "album-gone")


async def test_codes_show_every_image_in_the_chosen_size(host: Host) -> None:
    gif = await host.upload(pictures.animated("gif", 2), "moves.gif")
    album = await made(host, [*await uploaded(host, 1), gif])
    text = await page(host, f"/a/{album['slug']}/codes?size=small")
    [image, _] = album["images"]
    assert f"{image['url']}/small.jpg\n{gif['url']}/small.gif</textarea>" in text
    assert f"[url={album['url']}/{gif['slug']}][img]{gif['url']}/small.gif[/img][/url]</textarea>" in text
    assert f"{image['url']}.jpg\n{gif['url']}.gif</textarea>" in await page(
        host, f"/a/{album['slug']}/codes?size=original"
    )
    await problem(await host.get(f"/a/{album['slug']}/codes?size=huge"), "unknown-rendition")


async def test_only_pages_without_a_token_are_compressed(host: Host) -> None:
    """A length that depends on a secret and on what somebody else wrote would tell the secret, letter by letter."""
    album = await made(host, await uploaded(host, 3))
    for path in ("manage", "created"):
        response = await host.client.get(f"/a/{album['slug']}/{path}", headers=BROWSER | {"Accept-Encoding": "gzip"})
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Cache-Control"] == "public, no-cache"
        assert album["delete_token"] not in await response.text()
    saved = await manage(host, album, title="Mine")
    assert album["delete_token"] in await saved.text()
    assert "Content-Encoding" not in saved.headers
    assert saved.headers["Cache-Control"] == "no-store"


async def test_the_pages_speak_german(host: Host) -> None:
    album = await made(host, await uploaded(host, 2))
    assert "2 Bilder" in await page(host, f"/a/{album['slug']}", **{"Accept-Language": "de"})


# --- making -------------------------------------------------------------------------------------------------------


async def test_an_album_is_created_from_pasted_links(host: Host) -> None:
    images = await uploaded(host, 4)
    first, second, third, fourth = slugs_of(images)
    other = await made(host, images[3:])
    pasted = (
        f"{images[0]['url']}\r\nhttps://else.example/i/{second}/large.jpg?x#y, {third}\r\n"
        f"http://h/a/{other['slug']}/{fourth}"
    )
    response = await send(host, "/a", images=pasted, title="Pasted", expires_in="7d")
    text = await response.text()
    assert response.status == 201
    slug = response.headers["Location"].removeprefix("/a/")
    album = await shown(host, {"slug": slug})
    assert slugs_of(album["images"]) == [first, second, third, fourth]
    assert (album["title"], bool(album["own_expires_at"])) == ("Pasted", True)
    [token] = set(re.findall(rf"/a/{slug}(?:/manage)?#([\w-]{{22}})", text))
    assert (await manage(host, album | {"delete_token": token}, title="By its token")).status == 200


async def test_a_form_that_is_sent_again_creates_no_second_album(host: Host) -> None:
    images = await uploaded(host, 2)
    [key] = re.findall(r'name="form_key" value="([^"]+)"', await page(host, "/a"))
    fields = {"form_key": key, "images": images[0]["url"], "title": "Once"}
    first, again = await send(host, "/a", **fields), await send(host, "/a", **fields)
    assert (first.status, first.headers["Location"]) == (again.status, again.headers["Location"])
    assert await first.text() == await again.text()
    other = await send(host, "/a", **fields | {"images": images[1]["url"]})
    assert other.status == 201
    assert other.headers["Location"] != first.headers["Location"]


async def test_a_mistake_is_located_in_every_language(host: Host) -> None:
    [image] = await uploaded(host, 1)
    answers = {
        "https://h/i/nothing": "Nummer 2 davon ist kein Link zu einem Bild.",
        "0" * 17: "Nicht hinzugefügt werden können 1 dieser Bilder",
    }
    for wrong, expected in answers.items():
        form, headers = {"images": f"{image['url']} {wrong}"}, BROWSER | {"Accept-Language": "de"}
        response = await host.client.post("/a", data=form, headers=headers)
        assert response.status == 400
        assert expected in await response.text()


async def test_a_mistake_is_shown_on_the_form_and_nothing_entered_is_lost(host: Host) -> None:
    response = await send(host, "/a", images="https://h/i/nothing", title="Typed", expires_in="7d")
    text = await response.text()
    assert response.status == 400
    assert "“nothing” is not an image link" in text
    assert "https://h/i/nothing</textarea>" in text
    assert 'value="Typed"' in text
    assert '<option value="7d" selected>' in text


async def test_an_album_of_nothing_is_refused_in_words_for_people(host: Host) -> None:
    text = await (await send(host, "/a", images=" ")).text()
    assert "An album needs at least one image." in text
    assert "List them" not in text
    reply = await host.client.post("/api/v1/albums", json={"images": []})
    assert "List them in images." in (await reply.json())["detail"]


# --- managing -----------------------------------------------------------------------------------------------------


async def test_images_are_sorted_by_their_numbers(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images)
    response = await manage(host, album, **{f"place-{first}": "2.5", f"place-{second}": "2", f"place-{third}": "3"})
    text = await response.text()
    assert response.status == 200
    assert "Saved." in text
    assert re.findall(r'<li data-slug="(\w+)">', text) == [second, first, third]
    assert slugs_of((await shown(host, album))["images"]) == [second, first, third]
    await problem_on_form(await manage(host, album, **{f"place-{first}": "top"}), 400, "Positions must be numbers")


async def test_a_form_of_before_leaves_what_it_does_not_change_as_it_is_now(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images)
    shown_then = {f"place-{slug}": str(place) for place, slug in enumerate((first, second, third), start=1)}
    await manage(host, album, **shown_then | {f"place-{third}": "0"})
    await manage(host, album, title="New", **shown_then)
    assert slugs_of((await shown(host, album))["images"]) == [third, first, second]
    await manage(host, album, **shown_then | {f"place-{first}": "2.5"})
    assert slugs_of((await shown(host, album))["images"]) == [third, second, first]


async def problem_on_form(response: ClientResponse, status: int, words: str) -> None:
    text = await response.text()
    assert response.status == status
    assert 'role="alert"' in text
    assert words in text


async def test_the_form_sets_description_and_cover_but_no_cover_that_it_removes(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images)
    await manage(host, album, description="Two days", cover=second)
    now = await shown(host, album)
    assert (now["description"], now["cover"]) == ("Two days", second)
    assert (await manage(host, album, cover=third, remove=[third])).status == 200
    assert (await shown(host, album))["cover"] == second
    await manage(host, album, remove=[second])
    assert (await shown(host, album))["cover"] == first


async def test_one_form_takes_out_puts_in_names_and_dates(host: Host) -> None:
    images = await uploaded(host, 3)
    first, second, third = slugs_of(images)
    album = await made(host, images[:2])
    places = {f"place-{first}": "1", f"place-{second}": "2"}
    response = await manage(
        host, album, **places, remove=[first], add=images[2]["url"], title="New", expires_in="30d", action="save"
    )
    assert response.status == 200, await response.text()
    now = await shown(host, album)
    assert slugs_of(now["images"]) == [second, third]
    assert now["title"] == "New"
    assert now["own_expires_at"] is not None
    await manage(host, album, expires_in="images")
    assert (await shown(host, album))["own_expires_at"] is None


@pytest.mark.parametrize(("token", "status"), [("", 401), ("wrong", 403)])
async def test_without_the_token_nothing_is_changed_and_what_was_typed_stays(
    host: Host, token: str, status: int
) -> None:
    album = await made(host, await uploaded(host, 1))
    response = await manage(host, album, token=token, title="Typed", add="somewhere")
    assert 'value="Typed"' in await response.text()
    await problem_on_form(response, status, "delete token")
    assert (await shown(host, album))["title"] is None


async def test_the_whole_manage_link_does_as_a_token(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    response = await manage(host, album, token=f"{album['url']}#{album['delete_token']}", title="x")
    assert response.status == 200


async def test_deleting_and_undoing_by_form(host: Host) -> None:
    album = await made(host, await uploaded(host, 1))
    for action, back in (("delete-now", "Undo"), ("delete", "Restore")):
        assert back in await (await manage(host, album, action=action)).text()
        assert (await manage(host, album, action="restore")).status == 200
    await manage(host, album, action="delete")
    gone = await host.client.get(f"/a/{album['slug']}", headers=BROWSER)
    assert gone.status == 410
    assert "This album was deleted" in await gone.text()
    undone = await manage(host, album, action="undo")
    assert "Album restored." in await undone.text()
    await problem_on_form(await manage(host, album, action="dance"), 400, "Reload the page")
