"""Links with a slash at their end lead to the page without it."""

import pytest

from tests.support import albums
from tests.support.host import Host


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "?wait&name=a%26b"])
async def test_a_slash_behind_a_link_is_dropped(host: Host, method: str, query: str) -> None:
    images = await albums.uploaded(host, 1)
    album = await albums.made(host, images)
    for path in (f"/i/{images[0]['slug']}", f"/a/{album['slug']}"):
        reply = await host.client.request(method, f"{path}/{query}", allow_redirects=False)
        assert (reply.status, reply.headers["Location"]) == (301, path + query)
        assert reply.headers["Cache-Control"] == "public, max-age=3600"
        page = await host.client.request(method, f"{path}/{query}", headers={"Accept": "text/html"})
        assert (page.status, page.url.path) == (200, path)


async def test_a_redirect_never_leads_to_another_host(host: Host) -> None:
    for path in ("/i//evil.example/", "/i/evil.example/", "/i/x//"):
        reply = await host.client.get(path, allow_redirects=False)
        assert reply.status == 404
