"""What browsers without JavaScript and other programs send and read: the form, Chevereto, ShareX, oEmbed, CORS."""

import html
import re
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse, FormData

from tests.support.host import CODES, Host, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
BASE = "http://127.0.0.1:8080"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def form(host: Host, data: bytes, url: str = "/", field: str = "file", **fields: str) -> ClientResponse:
    body = FormData()
    body.add_field(field, data, filename="cat.jpg")
    for name, value in fields.items():
        body.add_field(name, value)
    return await host.client.post(url, data=body, headers=BROWSER)


# --- the plain form -----------------------------------------------------------------------------------------------


async def test_the_plain_form_answers_with_a_page_of_links(shared: Host, jpeg: bytes) -> None:
    reply = await form(shared, jpeg, title="Katze")
    page = await reply.text()
    assert (reply.status, reply.content_type) == (201, "text/html")
    slug = reply.headers["Location"].removeprefix("/i/")
    token = re.search(rf'value="{BASE}/i/{slug}#([^"]+)"', page)
    assert token
    assert reply.headers["Cache-Control"] == "no-store"
    assert (await shared.delete(slug, token[1])).status == 204


async def test_a_problem_is_told_on_the_form_with_what_was_typed(shared: Host) -> None:
    reply = await form(shared, b"no picture", title='My "cat"', alt="<b>", expires_in="7d")
    page = await reply.text()
    assert (reply.status, reply.content_type) == (CODES["not-an-image"], "text/html")
    assert "image" in page
    assert 'value="My &#34;cat&#34;"' in page
    assert "&lt;b&gt;</textarea>" in page
    assert '<option value="7d" selected>' in page


async def test_an_empty_form_is_told_what_is_missing(shared: Host) -> None:
    body = FormData()
    body.add_field("file", b"", filename="", content_type="application/octet-stream")
    reply = await shared.client.post("/", data=body, headers=BROWSER)
    assert reply.status == 400
    assert 'type="file"' in await reply.text()


async def test_a_program_that_posts_the_form_reads_a_line(shared: Host) -> None:
    body = FormData()
    body.add_field("file", b"no picture", filename="a.jpg")
    reply = await shared.client.post("/", data=body)
    assert (reply.status, reply.content_type) == (415, "text/plain")
    assert (await reply.text()).startswith("This is not an image. ")


# --- Chevereto and ShareX -----------------------------------------------------------------------------------------


async def test_chevereto_clients_get_their_shape(shared: Host, jpeg: bytes) -> None:
    reply = await form(shared, jpeg, "/api/1/upload", "source", key="ignored", format="json")
    body = await reply.json()
    assert (reply.status, body["status_code"], body["image"]["extension"]) == (200, 200, "jpg")
    image = body["image"]
    for url in (image["url"], image["url_viewer"], image["display_url"], image["thumb"]["url"], image["medium"]["url"]):
        assert (await shared.get(url.removeprefix(BASE))).status == 200
    page, _, token = image["delete_url"].partition("#")
    assert page == image["url_viewer"]
    assert (await shared.delete(image["id_encoded"], token)).status == 204


@pytest.mark.parametrize("url", ["https://example.com/cat.jpg", "HTTP://example.com/", "ftp://example.com/a.png"])
async def test_chevereto_urls_are_refused_however_they_come(shared: Host, url: str) -> None:
    in_parts = FormData()
    in_parts.add_field("source", url, content_type="text/plain")
    for data in (in_parts, {"source": url}):
        reply = await shared.client.post("/api/1/upload", data=data)
        body = await reply.json()
        assert (reply.status, body["status_code"]) == (400, 400)
        assert body["error"]["context"] == "remote-url-refused"
        assert "can't be uploaded by URL" in body["error"]["message"]


async def test_chevereto_errors_keep_their_shape(shared: Host) -> None:
    reply = await form(shared, b"no picture", "/api/1/upload", "source")
    body = await reply.json()
    assert (reply.status, body["error"]["context"], body["status_txt"]) == (
        415,
        "not-an-image",
        "Unsupported Media Type",
    )
    assert (await shared.client.post("/api/1/upload", data={"source": "aGVsbG8="})).status == 415
    assert (await shared.get("/api/1/upload")).status == 405


async def test_the_sharex_file_describes_an_upload_that_works(shared: Host, jpeg: bytes) -> None:
    reply = await shared.get("/sharex.sxcu")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="sharex.sxcu"'
    uploader = await reply.json(content_type=None)
    path = uploader["RequestURL"].removeprefix(BASE)
    resource = await (await form(shared, jpeg, path, uploader["FileFormName"])).json()

    def filled(pattern: str) -> str:
        def value(match: re.Match[str]) -> str:
            found = resource
            for name in match[1].split("."):
                found = found[name]
            return str(found)

        return re.sub(r"\{json:([^}]+)\}", value, pattern)

    assert (await shared.get(filled(uploader["URL"]).removeprefix(BASE))).status == 200
    assert (await shared.get(filled(uploader["ThumbnailURL"]).removeprefix(BASE))).status == 200
    assert filled(uploader["DeletionURL"]) == f"{resource['url']}#{resource['delete_token']}"
    told = await (await form(shared, b"none", path, uploader["FileFormName"])).json()
    assert told[uploader["ErrorMessage"].strip("{}").removeprefix("json:")]


# --- oEmbed and previews ------------------------------------------------------------------------------------------


async def test_the_share_page_leads_to_its_oembed_and_that_to_a_picture(shared: Host, jpeg: bytes) -> None:
    slug = (await shared.upload(jpeg, title="Katze"))["slug"]
    page = await (await shared.get(f"/i/{slug}")).text()
    link = re.search(r'type="application/json\+oembed"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*json\+oembed', page)
    assert link
    embedded = await (await shared.get(html.unescape(link[1] or link[2]).removeprefix(BASE))).json()
    assert (embedded["version"], embedded["type"], embedded["title"]) == ("1.0", "photo", "Katze")
    assert (await shared.get(embedded["url"].removeprefix(BASE))).status == 200
    preview = re.search(r'property="og:image" content="([^"]+)"', page)
    assert preview
    assert (await shared.get(preview[1].removeprefix(BASE))).status == 200


async def test_oembed_keeps_to_the_box(shared: Host, jpeg: bytes) -> None:
    slug = (await shared.upload(jpeg))["slug"]
    for width in (10, 300, 5000):
        url = f"/oembed?url={quote(f'{BASE}/i/{slug}', safe='')}&maxwidth={width}&maxheight=400"
        embedded = await (await shared.get(url)).json()
        assert embedded["width"] <= width
        assert embedded["height"] <= 400


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "no-such-page"),
        ("?url=", "no-such-page"),
        ("?url=https://elsewhere.example/i/0000", "no-such-page"),
        (f"?url={BASE}/", "no-such-page"),
        (f"?url={BASE}/i/", "not-found"),
        ("?url=http://[", "no-such-page"),
        (f"?url={BASE}/i/00000000000000000", "not-found"),
        (f"?url={BASE}/i/00000000000000000&format=xml", "format-not-offered"),
    ],
)
async def test_oembed_of_nothing_is_not_found(shared: Host, query: str, code: str) -> None:
    await problem(await shared.get(f"/oembed{query}"), code)


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "", "9999999999", "٣"])
async def test_oembed_boxes_are_whole_numbers(shared: Host, jpeg: bytes, value: str) -> None:
    slug = (await shared.upload(jpeg))["slug"]
    reply = await shared.get(f"/oembed?url={BASE}/i/{slug}&maxwidth={quote(value)}")
    await problem(reply, "malformed-request")


# --- CORS ---------------------------------------------------------------------------------------------------------


async def test_scripts_on_other_sites_may_use_the_api(shared: Host, jpeg: bytes) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PATCH"}
    reply = await shared.client.options("/api/v1/images/00000000000000000", headers=asked)
    assert reply.status == 204
    assert "PATCH" in reply.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    for answered in (reply, await shared.post(jpeg), await shared.post(b"none"), await shared.get("/api/v1/limits")):
        assert answered.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answered.headers
