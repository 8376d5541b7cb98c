"""Names in any script: they survive into the resource and into the header of a download, and can do no harm."""

import json
from urllib.parse import quote, unquote

import pytest

from tests.support.host import Host

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEPT = {
    "plain": "cat.jpg",
    "umlauts": "Grüße aus Köln.jpg",
    "japanese": "猫の写真.jpg",
    "arabic": "صورة قط.jpg",
    "hebrew": "חתול.png",
    "emoji": "🐈‍⬛ sleeping.jpg",
    "quotes": 'the "best" cat\'s.jpg',
    "percent": "100%25 real;v=1.jpg",
    "no extension": "Makefile",
    "dots": "a.b.c.tar.jpg",
}
CLEANED = {
    "unix folders": ("../../etc/passwd.jpg", "passwd.jpg"),
    "windows folders": ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
    "header injection": ("cat\r\nSet-Cookie: a=b.jpg", "catSet-Cookie: a=b.jpg"),
    "null": ("cat\x00.php.jpg", "cat.php.jpg"),
    "disguised extension": ("cat\u202egpj.exe", "catgpj.exe"),
    "only dots": ("..", "image"),
    "only spaces": ("   ", "image"),
    "decomposed": ("u\u0308ber.jpg", "über.jpg"),
    "too long": ("ü" * 200 + ".jpeg", "ü" * 125 + ".jpeg"),
    "too long without an end": ("x" * 400, "x" * 255),
}


TYPED = {
    "a page": ("x.html", "x.jpg"),
    "a program": ("holiday.jpg.exe", "holiday.jpg.jpg"),
    "another type": ("חתול.png", "חתול.jpg"),
    "no extension": ("Makefile", "Makefile.jpg"),
    "no extension but a dot": ("holiday no. 3", "holiday no. 3.jpg"),
    "an extension alone": ("html", "html.jpg"),
    "another extension of the type": ("cat.JPEG", "cat.JPEG"),
    "too long": ("x" * 255, "x" * 251 + ".jpg"),
}


async def downloaded_name(host: Host, slug: str) -> str:
    """The name that a client saves the original under, by RFC 6266."""
    response = await host.get(f"/i/{slug}/original?download")
    header = response.headers["Content-Disposition"]
    assert header.isascii()
    assert header.startswith("attachment; filename=")
    extended = header.partition("filename*=UTF-8''")[2]
    return unquote(extended, errors="strict") if extended else header.partition('filename="')[2].rstrip('"')


async def raw(host: Host, data: bytes, name: str) -> dict[str, str]:
    response = await host.client.post(f"/api/v1/images?filename={quote(name, safe='')}", data=data)
    assert response.status == 201, await response.text()
    resource: dict[str, str] = await response.json()
    return resource


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT)
async def test_a_name_survives_the_query_and_the_download(shared: Host, jpeg: bytes, name: str) -> None:
    resource = await raw(shared, jpeg, name)
    assert resource["filename"] == name
    assert await downloaded_name(shared, resource["slug"]) == {"חתול.png": "חתול.jpg", "Makefile": "Makefile.jpg"}.get(
        name, name
    )


@pytest.mark.parametrize(("name", "saved"), TYPED.values(), ids=TYPED)
async def test_an_original_is_saved_under_an_extension_of_what_it_is(
    shared: Host, jpeg: bytes, name: str, saved: str
) -> None:
    resource = await raw(shared, jpeg, name)
    assert resource["filename"] == name
    assert await downloaded_name(shared, resource["slug"]) == saved


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT)
async def test_a_name_survives_a_form_as_browsers_send_it(shared: Host, jpeg: bytes, name: str) -> None:
    written = name.replace('"', "%22").encode()  # how the HTML standard writes a form's file names
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + written + b'"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await shared.client.post("/api/v1/images", data=head + jpeg + b"\r\n--b--\r\n", headers=headers)
    resource = await response.json()
    assert resource["filename"] == name


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT)
async def test_a_name_survives_a_put(shared: Host, jpeg: bytes, name: str) -> None:
    link = await (await shared.client.put(f"/{quote(name, safe='')}", data=jpeg)).text()
    slug = link.strip().rpartition("/")[2]
    assert (await shared.appliance.delivery.resolve(slug)).filename == name


@pytest.mark.parametrize(("name", "kept"), CLEANED.values(), ids=CLEANED)
async def test_what_could_do_harm_is_taken_out_of_a_name(shared: Host, jpeg: bytes, name: str, kept: str) -> None:
    resource = await raw(shared, jpeg, name)
    assert resource["filename"] == kept
    saved = await downloaded_name(shared, resource["slug"])
    stem = kept.rpartition(".")[0] or kept
    assert saved == (kept if kept.endswith((".jpg", ".jpeg")) else f"{stem[:251]}.jpg")


async def test_a_name_is_escaped_on_the_page_and_in_its_codes(shared: Host, jpeg: bytes) -> None:
    resource = await raw(shared, jpeg, '<script>alert(1)</script>"onload=x.jpg')
    page = await (await shared.get(f"/i/{resource['slug']}", Accept="text/html")).text()
    assert "<script>alert" not in page
    assert '"onload=x' not in page


async def test_a_name_that_is_not_utf_8_is_no_server_fault(shared: Host, jpeg: bytes) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="caf\xe9.jpg"\r\n\r\n' + jpeg + b"\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await shared.client.post("/api/v1/images", data=body, headers=headers)
    assert response.status == 201
    json.dumps(await response.json()).encode()


async def test_renditions_are_named_after_the_original(shared: Host, jpeg: bytes) -> None:
    resource = await raw(shared, jpeg, "cat.of.mine.jpg")
    response = await shared.get(f"/i/{resource['slug']}/small.webp")
    assert response.headers["Content-Disposition"] == 'inline; filename="cat.of.mine-small.webp"'
