"""The pages: complete without scripts, escaped, labelled, and true to the configuration."""

from collections.abc import Callable

import pytest

from appliance.albums import Contents
from appliance.albums.invites import InviteStatus
from appliance.delivery import RenditionSummary
from appliance.domain.details import Details
from appliance.domain.errors import (
    ApplianceError,
    Banned,
    Busy,
    InternalError,
    Locked,
    RateLimited,
    UnknownImage,
    WrongPassphrase,
)
from appliance.domain.invites import Invite, InviteState, InviteUsage, Sees
from appliance.domain.model import Album, ContentCredentials, Ending, Image, KeepMetadata, PrivateData
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.http.pages.site_pages import UploadFormValues
from appliance.lifecycle.endings import End
from appliance.uploads.ingest import Refused
from tests.support.rendered_page import NOW_S, PHOTO, SLUG, TOKEN, Page
from tests.support.rows import album, changed

HOSTILE = "\"><script>alert('x')</script>&amp;<b onclick=x>"


def saying(words: str | None) -> ApplianceError | None:
    return InternalError(words) if words else None


def invited(image: Image) -> InviteStatus:
    """An invite to an album that has the image's title."""
    album = Album("1ak9Pt7MXQmMGuxGT", (image.slug,), "", NOW_S, NOW_S, title=image.title)
    invite = Invite("k3Xw9aBc0Z", album.slug, "", NOW_S, NOW_S + 86_400, 200, 2_000_000_000, Sees.ALBUM)
    return InviteStatus(invite, InviteUsage(1, 2_000), InviteState.OPEN, album)


EVERY_PAGE: dict[str, Callable[[LocalizedPages, Image], str]] = {
    "upload": lambda pages, image: pages.site.upload_page(
        saying(image.title), form_values=UploadFormValues(image.title or "", image.alt or "")
    ),
    "share": lambda pages, image: pages.images.share_page(image),
    "details": lambda pages, image: pages.images.details_page(image, Details(camera=image.title, caption=image.alt)),
    "in-album": lambda pages, image: pages.albums.image_page(
        Contents(album(images=(image.slug,), title=image.title), (image,)), 0, RenditionSummary()
    ),
    "original-only": lambda pages, image: pages.images.share_page(changed(image, original_only=image.title or "why")),
    "uploaded": lambda pages, image: pages.images.uploaded_page(image, TOKEN),
    "manage": lambda pages, image: pages.images.manage_page(image, problem=saying(image.title), notice=image.alt),
    "uploaded-several": lambda pages, image: pages.images.uploaded_several_page(
        [(image, TOKEN), (image, TOKEN)], [Refused(image.filename, UnknownImage(image.filename))], skipped=1
    ),
    "deleted": lambda pages, image: pages.images.deleted_page(image, TOKEN),
    "in-bin": lambda pages, image: pages.images.deleted_page(image, TOKEN, restorable_until_s=NOW_S + 86_400),
    "gone": lambda pages, image: pages.images.gone_page(
        image.slug, End(Ending.EXPIRED, NOW_S + 86_400), problem=saying(image.title)
    ),
    "guests": lambda pages, image: pages.guests.upload_page(invited(image), TOKEN, saying(image.title)),
    "album-invites": lambda pages, image: pages.guests.invites_page(
        invited(image).album,
        [invited(image)],
        TOKEN,
        problem=saying(image.title),
        notice=image.alt,
        new_link=f"https://images.example.org/c/{TOKEN}",
    ),
    "blocked": lambda pages, image: pages.site.blocked_page(Banned(image.title or "", NOW_S)),
    "error": lambda pages, image: pages.site.error_page(404, UnknownImage(image.filename), "r1"),
    "waiting": lambda pages, image: pages.site.error_page(429, RateLimited(image.filename), "r1", continues=True),
}


WITHOUT_TEXTS: dict[str, Callable[[LocalizedPages, Image], str]] = {
    "mine": lambda pages, _: pages.site.library_page(),
    "locked": lambda pages, _: pages.locks.locked_page(Locked("/i/1A", has_passphrase=True), WrongPassphrase()),
    "guessed-lock": lambda pages, _: pages.locks.locked_page(Locked("/i/1A", challenge={"signature": '"<&'})),
    "one-view": lambda pages, _: pages.locks.locked_page(Locked("/i/1A", has_passphrase=False, is_one_view=True)),
    "lost-lock": lambda pages, _: pages.locks.locked_page(Locked("/a/1A", has_passphrase=False)),
    "offline": lambda pages, _: pages.site.offline_page(),
}
PAGES = EVERY_PAGE | WITHOUT_TEXTS
HAND_OUT = {"uploaded", "uploaded-several", "deleted", "in-bin", "guests", "album-invites"}


def has_own_scripts_only(page: Page) -> bool:
    """Modules of ours by address; nothing inline, which the policy would block and a person's text might be."""
    return all(script.get("src", "").startswith("/static/") for script in page.all("script"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_well_formed_and_keeps_to_the_content_policy(pages: LocalizedPages, name: str) -> None:
    page = Page(PAGES[name](pages, PHOTO))
    assert page.open == []
    assert has_own_scripts_only(page)
    assert not page.all("style")
    for _, attributes in page.elements:
        assert not [key for key in attributes if key == "style" or key.startswith("on")]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_landmarks_one_heading_and_labelled_fields(pages: LocalizedPages, name: str) -> None:
    page = Page(PAGES[name](pages, PHOTO))
    assert page.one("html")["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    labels = {label["for"] for label in page.all("label")}
    fields = [field for tag in ("input", "select", "textarea") for field in page.all(tag)]
    assert {field["id"] for field in fields if field.get("type") != "hidden"} == labels
    assert all(image["alt"] for image in page.all("img"))


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_nothing_a_person_gave_becomes_markup(pages: LocalizedPages, name: str) -> None:
    hostile = changed(PHOTO, filename=HOSTILE, title=HOSTILE, alt=HOSTILE)
    page = Page(EVERY_PAGE[name](pages, hostile))
    assert has_own_scripts_only(page)
    assert not page.all("b")
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert HOSTILE in page.text + "".join(value for _, has in page.elements for value in has.values())


@pytest.mark.parametrize("name", sorted(set(EVERY_PAGE) - {"upload"}))
def test_no_page_of_an_image_is_for_search_engines(pages: LocalizedPages, name: str) -> None:
    assert Page(EVERY_PAGE[name](pages, PHOTO)).meta("robots") == "noindex"


@pytest.mark.parametrize("name", sorted(set(EVERY_PAGE) - HAND_OUT))
def test_only_the_pages_that_hand_it_out_know_the_token(pages: LocalizedPages, name: str) -> None:
    assert TOKEN not in EVERY_PAGE[name](pages, PHOTO)


SENTENCES: list[tuple[PrivateData, KeepMetadata | None, str | None]] = [
    (
        PrivateData.REMOVED,
        KeepMetadata.NOTHING,
        "Metadata that could be private, such as location, date and device",
    ),
    (PrivateData.REMOVED, KeepMetadata.CREDITS, "Date, camera and author were kept"),
    (PrivateData.REMOVED, None, "GPS position and device data were removed"),
    (PrivateData.NONE, KeepMetadata.NOTHING, None),
    (PrivateData.NONE, KeepMetadata.CREDITS, "may reveal when, with which camera and by whom"),
    (PrivateData.NONE, None, None),
    (PrivateData.KEPT, KeepMetadata.ALL, "The original may reveal where, when, with which device"),
    (PrivateData.KEPT, None, "The original may reveal where, when, with which device"),
    *(
        (PrivateData.NOT_REMOVABLE, keep, "Some private data in the original could not be removed")
        for keep in (None, KeepMetadata.NOTHING)
    ),
]


@pytest.mark.parametrize(("private", "keep", "sentence"), SENTENCES)
@pytest.mark.parametrize("name", ["share", "uploaded", "uploaded-several", "manage"])
def test_pages_say_what_an_original_may_tell(
    pages: LocalizedPages, name: str, private: PrivateData, keep: KeepMetadata | None, sentence: str | None
) -> None:
    image = changed(PHOTO, private_data=private, keep_metadata=keep, content_credentials=ContentCredentials.NONE)
    text = Page(EVERY_PAGE[name](pages, image)).text
    said = [each for _, _, each in SENTENCES if each and each in text]
    assert set(said) == ({sentence} if sentence else set())
    assert "C2PA" not in text


@pytest.mark.parametrize("name", ["share", "uploaded", "uploaded-several", "manage"])
def test_pages_say_that_content_credentials_are_lost(pages: LocalizedPages, name: str) -> None:
    image = changed(PHOTO, private_data=PrivateData.REMOVED, content_credentials=ContentCredentials.REMOVED)
    assert "content credentials (C2PA) were removed" in Page(EVERY_PAGE[name](pages, image)).text


@pytest.mark.parametrize("name", ["uploaded", "uploaded-several"])
def test_the_links_to_share_come_first_and_the_manage_links_under_a_warning(pages: LocalizedPages, name: str) -> None:
    page = Page(EVERY_PAGE[name](pages, PHOTO))
    texts = [has for tag, has in page.elements if tag in ("input", "textarea") and has.get("type") != "hidden"]
    secret = next(at for at, has in enumerate(texts) if has["id"].startswith("manage-link"))
    assert "link" in texts[0]["id"] or texts[0]["id"] == "images"
    assert not [has for has in texts[:secret] if TOKEN in has.get("value", "")]
    (primary,) = [button for button in page.all("button", type="button") if "quiet" not in button["class"]]
    assert primary["data-copies"] in ("code-link", "images")
    assert "private" in page.text.partition("Manage link")[2]


@pytest.mark.parametrize("name", ["share", "in-album"])
def test_an_animation_that_is_shown_as_a_still_moves_in_the_original(pages: LocalizedPages, name: str) -> None:
    page = Page(EVERY_PAGE[name](pages, changed(PHOTO, media_type="image/avif", frames=20)))
    assert "This animation is shown as a still. Open the original to see it move." in page.text
    assert page.all("a", href=f"/i/{SLUG}/original")


def test_an_error_page_says_what_to_quote(pages: LocalizedPages) -> None:
    page = Page(pages.site.error_page(503, Busy("Try again in a minute."), "r-77"))
    assert all(said in page.text for said in ("503", "The server is busy", "Try again in a minute.", "busy", "r-77"))


def test_the_style_sheet_is_small_and_there(pages: LocalizedPages) -> None:
    style = pages.assets.get("built/site.css")
    assert style is not None
    assert len(style.data) < 12_000
    assert pages.assets.url("built/site.css") in pages.site.upload_page()


def test_each_refusal_has_its_own_request_id_though_its_page_is_rendered_once(pages: LocalizedPages) -> None:
    refusal = RateLimited("That was too much.", retry_after_s=7)
    for request_id in ("r-1", "r-2"):
        page = pages.site.error_page(429, refusal, request_id, continues=True)
        assert page.count(request_id) == 1
        assert 'data-seconds="7"' in page
