"""What pages and the ShareX uploader say of who may upload."""

import pytest

from appliance.config.model import Access, Config, Server
from appliance.http.api.sharex import sharex_uploader
from appliance.http.pages.localized_pages import build_pages
from tests.support.host import OpenHost


@pytest.mark.parametrize(
    ("uploads", "said", "asks", "opens"),
    [
        (("anyone",), "No account", False, False),
        (("anyone", "key"), "No account", True, True),
        (("key",), "With an access key you can upload", True, False),
        (("signed-in",), "Sign in to upload", False, False),
        (("key", "signed-in"), "Sign in, or use an access key", True, True),
    ],
)
def test_the_pages_say_who_may_upload_and_ask_for_a_key(
    uploads: tuple[str, ...], said: str, asks: bool, opens: bool
) -> None:
    pages = build_pages(Config(access=Access(uploads=uploads, user_header="Remote-User")))[0]
    upload, album = pages.site.upload_page(), pages.albums.creation_page()
    assert said in upload
    for page in (upload, album):
        assert ('name="key"' in page) is asks
        assert ("I have an access key" in page) is opens
    if asks:
        assert upload.index('name="key"') < upload.index('name="file"')  # only there it counts


def test_sharex_gets_a_header_for_a_key_where_one_is_needed() -> None:
    assert "Headers" not in sharex_uploader(Config())
    needed = sharex_uploader(Config(access=Access(uploads=("key",))))
    assert needed["Headers"] == {"X-API-Key": "imgk_YOUR-KEY"}


async def test_pages_link_the_sign_in_and_name_who_is_signed_in(open_host: OpenHost) -> None:
    access = Access(uploads=("signed-in",), user_header="Remote-User", sign_in_url="/sign-in")
    host = await open_host(access=access, server=Server(trusted_proxies=("127.0.0.1",)))
    for path in ("/", "/a"):
        stranger = await host.get(path)
        assert '<a href="/sign-in">Sign in</a>' in await stranger.text()
        assert stranger.headers["Cache-Control"] == "no-store"
        assert 'href="/sign-in"' not in await (await host.get(path, Remote_User="a<b")).text()
    assert "You are signed in as a&lt;b." in await (await host.get("/", Remote_User="a<b")).text()
