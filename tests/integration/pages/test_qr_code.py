"""The QR codes of links to images and albums."""

from appliance.http.qr_codes import qr_svg
from tests.support.host import Host, bearer


async def test_the_code_is_a_drawing_of_the_share_link_that_lives_as_long_as_the_image(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="600")
    reply = await host.get(f"/i/{image['slug']}/qr.svg")
    assert (reply.status, reply.content_type) == (200, "image/svg+xml")
    assert b"<script" not in (drawn := await reply.read())
    assert drawn.startswith(b"<svg")
    assert reply.headers["Cache-Control"] == "public, max-age=600"
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    again = await host.get(f"/i/{image['slug']}/qr.svg", If_None_Match=reply.headers["ETag"])
    assert again.status == 304
    await host.delete(image["slug"], image["delete_token"])
    assert (await host.get(f"/i/{image['slug']}/qr.svg")).status == 410


async def test_each_image_has_a_code_of_its_own(host: Host, jpeg: bytes) -> None:
    codes = [await (await host.get(f"/i/{(await host.upload(jpeg))['slug']}/qr.svg")).read() for _ in range(2)]
    assert codes[0] != codes[1]


async def test_an_album_has_a_code_that_lives_as_long_as_the_album(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, expires_in="600")
    created = await host.client.post("/api/v1/albums", json={"images": [image["slug"]], "passphrase": "Käse und Brot"})
    album = await created.json()
    path = f"/a/{album['slug']}/qr.svg"
    reply = await host.get(path)  # it shows the link alone, so it needs no passphrase
    assert (reply.status, reply.content_type) == (200, "image/svg+xml")
    assert await reply.read() == qr_svg(album["url"])
    assert reply.headers["Cache-Control"] == "public, max-age=600"
    assert reply.headers["Cache-Tag"] == album["slug"]
    assert (await host.get(path, If_None_Match=reply.headers["ETag"])).status == 304
    await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(album["delete_token"]))
    assert (await host.get(path)).status == 410
    assert (await host.get("/a/1A2b7Qw9ZxCvBnMkL/qr.svg")).status == 404
