"""Several files in one form, as a phone's gallery shares them: each is taken or refused by itself."""

import io
import re
from dataclasses import replace
from pathlib import Path

from aiohttp import ClientResponse, FormData

from appliance.http.keys import FORM_LIMITS
from tests.support.host import CODES, Host, OpenHost, problem, small_config
from tests.support.images import pictures

BROWSER = {"Accept": "text/html", "Accept-Language": "en"}


async def shared(host: Host, *files: tuple[str, bytes], language: str = "en", **fields: str) -> ClientResponse:
    form = FormData()
    for name, data in files:
        form.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
    for field, text in fields.items():
        form.add_field(field, text)
    return await host.client.post("/", data=form, headers=BROWSER | {"Accept-Language": language})


def links(page: str) -> list[str]:
    """The share links, in the order in which the page shows them."""
    return re.findall(r'id="link-\d+"[^>]* value="([^"]+)"', page)


def manage_links(page: str) -> list[str]:
    return re.findall(r'id="manage-link(?:-\d+)?"[^>]* value="([^"]+)"', page)


async def test_each_of_several_images_gets_its_links(host: Host) -> None:
    files = [(f"{number}.jpg", pictures.photo(64 + number, 48)) for number in range(3)]
    reply = await shared(host, *files, expires_in="1d", title="Holidays")
    page = await reply.text()
    assert reply.status == 201
    assert "3 images are online" in page
    manage = re.findall(r'id="manage-link-\d+"[^>]* value="([^"#]+)#([\w-]+)"', page)
    assert len(links(page)) == len(manage) == page.count("data-record=") == 3
    for link, (_, token), (name, data) in zip(links(page), manage, files, strict=True):
        slug = link.rpartition("/")[2]
        image = await (await host.get(f"/api/v1/images/{slug}")).json()
        assert (image["filename"], image["title"], image["bytes"]) == (name, "Holidays", len(data))
        assert (await host.delete(slug, token)).status == 204


async def test_an_album_is_made_of_them(host: Host) -> None:
    page = await (await shared(host, ("a.jpg", pictures.photo(64, 48)), ("b.jpg", pictures.photo(65, 48)))).text()
    match = re.search(r"<textarea[^>]* name=\"images\"[^>]*>([^<]+)</textarea>", page)
    assert match is not None
    assert match[1].split() == links(page)
    made = await host.client.post("/a", data={"images": match[1]}, headers=BROWSER)
    assert made.status == 201
    assert "2 images" in await made.text()


async def test_one_that_is_refused_leaves_the_others_and_is_told(host: Host, jpeg: bytes) -> None:
    files = [("first.jpg", jpeg), ("notes.pdf", b"%PDF-1.7" + bytes(60)), ("empty.jpg", b""), ("last.jpg", jpeg)]
    reply = await shared(host, *files)
    page = await reply.text()
    assert (reply.status, len(links(page))) == (201, 2)
    assert "<bdi>notes.pdf</bdi>: <span>This is a PDF" in page
    assert "<bdi>empty.jpg</bdi>: <span>The file is empty." in page
    assert host.counted("uploads_total", outcome="accepted") == 2
    assert host.counted("uploads_total", outcome="empty-upload") == 1
    german = await (await shared(host, *files, language="de")).text()
    assert "<bdi>notes.pdf</bdi>: <span>Diese Datei ist kein Bild" in german


async def test_one_that_is_too_large_leaves_the_others(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_bytes=len(jpeg)))
    page = await (await shared(host, ("a.jpg", jpeg), ("b.jpg", jpeg + bytes(900_000)), ("c.jpg", jpeg))).text()
    assert len(links(page)) == 2
    assert "<bdi>b.jpg</bdi>" in page


async def test_one_that_is_beyond_all_measure_ends_the_form(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_bytes=len(jpeg)))
    host.client.app[FORM_LIMITS].max_skipped_bytes = 100_000
    reply = await shared(host, ("a.jpg", jpeg), ("b.jpg", jpeg + bytes(len(jpeg) + 900_000)))
    assert reply.status == 413
    assert host.files("spool") == []


async def test_a_form_larger_than_all_files_may_be_is_refused_before_it_is_read(open_host: OpenHost) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_bytes=10_000))
    reply = await shared(host, ("a.jpg", bytes(3_000_000)))
    assert reply.status == 413


async def test_if_no_file_is_accepted_the_form_says_why(host: Host) -> None:
    reply = await shared(host, ("a.pdf", b"%PDF-1.7" + bytes(60)), ("b.jpg", b""), title="Cat")
    page = await reply.text()
    assert reply.status == 415
    assert "This is a PDF" in page
    assert 'value="Cat"' in page
    assert host.files("spool") == []


async def test_all_that_was_typed_is_shown_again_beside_a_field_that_is_refused(host: Host, jpeg: bytes) -> None:
    reply = await shared(host, ("a.jpg", jpeg), expires_in="soon", title="Cat", alt="A cat")
    page = await reply.text()
    assert reply.status == CODES["invalid-expiry"]
    assert 'value="Cat"' in page
    assert "A cat" in page
    assert host.files("spool") == []


async def test_files_beyond_the_limit_of_one_form_are_skipped_and_counted(host: Host, jpeg: bytes) -> None:
    host.client.app[FORM_LIMITS].max_files = 2
    page = await (await shared(host, *[(f"{number}.jpg", jpeg) for number in range(4)])).text()
    assert len(links(page)) == 2
    assert "2 more files were skipped" in page


async def test_a_form_that_breaks_off_keeps_none(host: Host, jpeg: bytes) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    reply = await host.client.post("/", data=part + jpeg + b"\r\n" + part + jpeg, headers=headers)
    assert reply.status == 400
    assert host.files("spool") == []


async def test_the_api_takes_one_file_a_request(host: Host, jpeg: bytes) -> None:
    form = FormData()
    for name in ("a.jpg", "b.jpg"):
        form.add_field("file", jpeg, filename=name)
    await problem(await host.client.post("/api/v1/images", data=form), "malformed-request")


async def test_a_form_that_is_sent_again_gets_the_first_reply(host: Host) -> None:
    """As by a reload of the reply."""
    files = [("a.jpg", pictures.photo(64, 48)), ("b.jpg", pictures.photo(65, 48))]
    first, again = [await (await shared(host, *files, form_key="k" * 32)).text() for _ in range(2)]
    assert (links(first), manage_links(first)) == (links(again), manage_links(again))
    assert len(host.files("store/objects")) == 2


async def test_a_form_that_a_browser_has_kept_takes_other_files(host: Host, jpeg: bytes) -> None:
    first = await (await shared(host, ("a.jpg", jpeg), form_key="k" * 32)).text()
    other = await (await shared(host, ("a.jpg", pictures.photo(64, 48)), form_key="k" * 32)).text()
    named = await (await shared(host, ("a.jpg", jpeg), form_key="k" * 32, title="Cat")).text()
    assert len({*manage_links(first), *manage_links(other), *manage_links(named)}) == 3


async def test_the_same_file_twice_in_one_form_is_one_image(host: Host, jpeg: bytes) -> None:
    page = await (await shared(host, ("a.jpg", jpeg), ("a.jpg", jpeg), form_key="k" * 32)).text()
    assert len(manage_links(page)) == 1


async def test_a_form_of_a_deleted_image_says_how_to_upload_it_again(host: Host, jpeg: bytes) -> None:
    page = await (await shared(host, ("a.jpg", jpeg), form_key="k" * 32)).text()
    slug, token = re.findall(r"/i/(\w+)#([\w-]{22})", page)[0]
    await host.delete(slug, token)
    reply = await shared(host, ("a.jpg", jpeg), form_key="k" * 32)
    assert reply.status == 410
    assert "reload the form" in await reply.text()


async def test_a_form_key_that_could_be_guessed_is_refused(host: Host, jpeg: bytes) -> None:
    reply = await shared(host, ("a.jpg", jpeg), form_key="1")
    assert reply.status == CODES["invalid-idempotency-key"]
    assert host.files("spool") == []


async def test_each_form_has_a_key_of_its_own(host: Host) -> None:
    keys = {re.findall(r'name="form_key" value="(\w{32})"', await (await host.get("/")).text())[0] for _ in range(2)}
    assert len(keys) == 2
