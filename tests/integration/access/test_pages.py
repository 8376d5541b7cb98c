"""What pages and the ShareX uploader say of who may upload."""

from dataclasses import replace

import pytest

from appliance.config.model import Access, Config
from appliance.domain.errors import ApplianceError, SignInRequired
from appliance.http.api.sharex import sharex_uploader
from appliance.http.pages.localized_pages import LocalizedPages, build_pages
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


def test_who_is_signed_in_is_named_and_others_are_led_to_the_sign_in() -> None:
    access = Access(uploads=("signed-in",), user_header="Remote-User", sign_in_url="/oauth2/sign_in")
    pages = build_pages(Config(access=access))[0]
    link = 'href="/oauth2/sign_in">Sign in</a>'
    for page in (pages.site.upload_page(), pages.albums.creation_page(), error(pages, SignInRequired())):
        assert link in page
        assert "Sign in to" in page or "need to be signed in" in page
    assert "You are signed in as <bdi>&lt;bob&gt;</bdi>" in pages.site.upload_page(user="<bob>")
    for page in (pages.site.upload_page(user="<bob>"), pages.albums.creation_page(user="<bob>")):
        assert link not in page
        assert "Sign in to" not in page


def error(pages: LocalizedPages, fault: ApplianceError) -> str:
    return pages.site.error_page(403, fault, "r1")


async def test_the_page_that_a_person_gets_is_theirs_alone(open_host: OpenHost, config: Config) -> None:
    server = replace(config.server, trusted_proxies=("127.0.0.1",))
    host = await open_host(server=server, access=Access(uploads=("signed-in",), user_header="Remote-User"))
    for path, words in (("/", "signed in as <bdi>bob</bdi>"), ("/a", "Create an album")):
        page = await host.client.get(path, headers={"Remote-User": "bob", "Accept": "text/html"})
        assert page.headers["Cache-Control"] == "no-store"
        text = await page.text()
        assert words in text
        assert "Sign in to" not in text
