"""The pages: complete without scripts, escaped, labelled, and true to the configuration."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.albums import Contents
from appliance.albums.invites import InviteStatus
from appliance.config.model import Deletion, Renditions, Uploads
from appliance.delivery import RenditionSummary
from appliance.domain.details import Details
from appliance.domain.errors import (
    ApplianceError,
    Busy,
    InternalError,
    Locked,
    RateLimited,
    UnknownImage,
    UnsupportedFormat,
    WrongPassphrase,
    WrongToken,
)
from appliance.domain.invites import Invite, InviteState, InviteUsage, Sees
from appliance.domain.model import Album, ContentCredentials, Ending, Image, KeepMetadata, PrivateData
from appliance.domain.renditions import Format
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.http.pages.site_pages import UploadFormValues
from appliance.lifecycle.endings import End
from appliance.uploads.ingest import Refused
from tests.support.rendered_page import CONFIG, NOW_S, PHOTO, SLUG, TOKEN, Page
from tests.support.rows import album, changed

HOSTILE = "\"><script>alert('x')</script>&amp;<b onclick=x>"
PANORAMA = changed(PHOTO, media_type="image/tiff", original_only="It has 4.2 gigapixels; 1 gigapixel is the limit.")


def saying(words: str | None) -> ApplianceError | None:
    return InternalError(words) if words else None


def invited(image: Image) -> InviteStatus:
    """An invite to an album that has the image's title."""
    album = Album("1ak9Pt7MXQmMGuxGT", (image.slug,), "", NOW_S, NOW_S, title=image.title)
    invite = Invite("k3Xw9aBc0Z", album.slug, "", NOW_S, NOW_S + 86_400, 200, 2_000_000_000, Sees.ALBUM)
    return InviteStatus(invite, InviteUsage(1, 2_000), InviteState.OPEN, album)


@pytest.fixture(scope="module")
def pages() -> LocalizedPages:
    return LocalizedPages(CONFIG, clock=lambda: NOW_S)


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


def test_the_upload_form_sends_the_fields_of_the_contract(pages: LocalizedPages) -> None:
    page = Page(pages.site.upload_page())
    form = page.one("form")
    assert (form["method"], form["action"], form["enctype"]) == ("post", "/", "multipart/form-data")
    file = page.one("input", type="file", name="file")
    assert file["name"] == "file"
    assert {"image/jpeg", "image/heic", "image/tiff"} <= set(file["accept"].split(","))
    assert {"title", "alt", "expires_in"} <= {a.get("name") for _, a in page.elements}
    assert page.one("option", selected="")["value"] == "365d"


def test_the_upload_page_says_the_limits_and_the_command_line() -> None:
    config = replace(CONFIG, uploads=Uploads(max_bytes=20_000_000, default_expiry_days=45, max_expiry_days=60))
    page = Page(LocalizedPages(config).site.upload_page())
    assert "JPEG, PNG, GIF, WebP, TIFF, AVIF or HEIC, up to 20 MB." in page.text
    assert "kept for 45 days, or for as long as you choose, up to 60 days" in page.text
    assert (
        page.one("input", id="curl")["value"] == "curl -w '%header{x-manage-link}\\n' https://pics.example/ -T cat.jpg"
    )
    assert (
        "With curl older than 7.84, use -i instead of the -w option" in page.text
    )  # it would print %header{} as it is
    assert [option["value"] for option in page.all("option")][:6] == ["1h", "1d", "7d", "30d", "45d", "60d"]
    assert page.one("option", selected="")["value"] == "45d"


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


@pytest.mark.parametrize(
    ("sent", "chosen"), [("", "false"), ("1", "true"), ("true", "true"), ("credits", "credits"), ("maybe", "false")]
)
def test_the_form_offers_three_choices_and_keeps_the_one_that_was_made(
    pages: LocalizedPages, sent: str, chosen: str
) -> None:
    page = Page(pages.site.upload_page(form_values=UploadFormValues(keep_metadata=sent)))
    choices = page.all("input", name="keep_metadata", type="radio")
    assert [choice["value"] for choice in choices] == ["false", "credits", "true"]
    assert [choice["value"] for choice in choices if "checked" in choice] == [chosen]
    assert ("open" in page.one("details", **{"class": "options"})) is (chosen != "false")


def test_a_refused_upload_keeps_what_was_typed(pages: LocalizedPages) -> None:
    page = Page(
        pages.site.upload_page(
            UnsupportedFormat("That was a PDF."), form_values=UploadFormValues("Cat", "A grey cat", "7d")
        )
    )
    assert page.all("div", role="alert")
    assert "That was a PDF." in page.text
    assert page.one("input", name="title")["value"] == "Cat"
    assert "A grey cat" in page.text
    assert page.one("option", selected="")["value"] == "7d"


def test_the_share_page_shows_the_image_in_its_sizes(pages: LocalizedPages) -> None:
    image = Page(pages.images.share_page(changed(PHOTO, alt="A cat"))).one("img", id="shown")
    # drawn as large as the screen has room, up to the original's size
    assert (image["width"], image["height"], image["alt"]) == ("2725", "2225", "A cat")
    assert image["srcset"] == ", ".join(
        f"/i/{SLUG}/{name}.jpg {width}w"
        for name, width in (("thumbnail", 256), ("small", 512), ("medium", 1024), ("large", 2048))
    )


def test_lighter_formats_are_named_once_they_are_made(pages: LocalizedPages) -> None:
    def sources(*names: str) -> list[dict[str, str]]:
        summary = RenditionSummary(dict.fromkeys(names, 1000))
        return Page(pages.images.share_page(PHOTO, summary)).all("source")

    assert sources("large.avif", "thumbnail.avif") == []  # too large for a phone, too small for a desk
    (phone,) = sources("medium-large.avif", "thumbnail.avif")
    assert (phone["type"], phone["media"]) == ("image/avif", "(max-width: 768px) and (min-resolution: 1.5dppx)")
    assert phone["srcset"] == f"/i/{SLUG}/thumbnail.avif 256w, /i/{SLUG}/medium-large.avif 1536w"
    avif, webp = sources("medium.avif", "medium-large.avif", "large.avif", "medium-large.webp")
    assert (avif["media"], webp["type"]) == ("(min-width: 512px), (min-resolution: 1.5dppx)", "image/webp")


def test_an_image_of_few_pixels_has_no_equal_rows_of_sizes(pages: LocalizedPages) -> None:
    page = pages.images.share_page(changed(PHOTO, width=16, height=16))
    assert page.count('<tr><th scope="row">') == 2  # one size, and the original


@pytest.mark.parametrize(("media_type", "offered"), [("image/heic", True), ("image/avif", True), ("image/png", False)])
def test_what_many_programs_cannot_open_is_offered_as_a_jpeg(
    pages: LocalizedPages, media_type: str, offered: bool
) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type=media_type)))
    assert bool(page.all("a", href=f"/iiif/3/{SLUG}/full/max/0/default.jpg")) == offered


@pytest.mark.parametrize("name", ["share", "in-album"])
def test_an_animation_that_is_shown_as_a_still_moves_in_the_original(pages: LocalizedPages, name: str) -> None:
    page = Page(EVERY_PAGE[name](pages, changed(PHOTO, media_type="image/avif", frames=20)))
    assert "This animation is shown as a still. Open the original to see it move." in page.text
    assert page.all("a", href=f"/i/{SLUG}/original")


def test_a_small_image_is_listed_once_for_each_width(pages: LocalizedPages) -> None:
    image = Page(pages.images.share_page(changed(PHOTO, width=300, height=200))).one("img", id="shown")
    assert image["srcset"] == f"/i/{SLUG}/thumbnail.jpg 256w, /i/{SLUG}/small.jpg 300w"


@pytest.mark.parametrize(
    ("width", "srcset"),
    [
        (250, f"/i/{SLUG}/small.jpg 250w"),
        (900, f"/i/{SLUG}/small.jpg 512w, /i/{SLUG}/medium.jpg 900w"),
    ],
)
def test_no_part_of_a_tall_image_stands_for_all_of_it(pages: LocalizedPages, width: int, srcset: str) -> None:
    """Its thumbnail shows the top alone."""
    image = Page(pages.images.share_page(changed(PHOTO, width=width, height=3000))).one("img", id="shown")
    assert image["srcset"] == srcset


def test_the_share_page_links_every_size_and_the_original(pages: LocalizedPages) -> None:
    targets = {link["href"] for link in Page(pages.images.share_page(PHOTO)).all("a")}
    assert {
        f"/i/{SLUG}/{preset}.{ending}"
        for preset in ("thumbnail", "small", "medium", "medium-large", "large")
        for ending in ("jpg", "webp", "avif")
    } <= targets
    assert {f"/i/{SLUG}/original", f"/i/{SLUG}/original?download"} <= targets


def test_formats_that_are_not_configured_are_not_linked() -> None:
    config = replace(CONFIG, renditions=Renditions(formats=(Format.JPG, Format.WEBP)))
    assert ".avif" not in LocalizedPages(config).images.share_page(PHOTO)


def test_an_animated_image_says_so_and_is_linked_in_animated_formats(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type="image/gif", frames=24)))
    assert "animated, 24 frames" in page.text
    targets = {link["href"] for link in page.all("a")}
    assert {f"/i/{SLUG}/small.webp", f"/i/{SLUG}/small.gif"} <= targets
    assert f"/i/{SLUG}/small.jpg" not in targets


def test_the_share_page_says_size_format_and_expiry_in_words(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(PHOTO))
    assert "2725 × 2225 pixels · 829 KB · JPEG" in page.text
    assert "23 November 2027 (in 12 months)" in page.text
    assert page.one("time")["datetime"] == "2027-11-23T16:02:08Z"


def test_the_share_page_has_metadata_for_link_previews(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, title="Cat", alt="A grey cat")))
    assert page.meta("og:title") == "Cat"
    assert page.meta("og:url") == page.one("link", rel="canonical")["href"] == f"https://pics.example/i/{SLUG}"
    assert page.meta("og:image") == f"https://pics.example/i/{SLUG}/preview.jpg"
    assert (page.meta("og:image:width"), page.meta("og:image:height")) == ("1024", "836")
    assert page.meta("og:image:type") == "image/jpeg"
    assert page.meta("og:image:alt") == page.meta("twitter:image:alt") == "A grey cat"
    assert page.meta("og:site_name") == "pics.example"
    assert page.meta("twitter:card") == "summary_large_image"
    assert page.one("link", type="application/json+oembed")["href"].startswith("https://pics.example/oembed?url=https")


@pytest.mark.parametrize("size", [(1080, 12_000), (200, 150)])
def test_a_small_preview_has_a_small_card(pages: LocalizedPages, size: tuple[int, int]) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, width=size[0], height=size[1])))
    assert page.meta("twitter:card") == "summary"


def test_an_original_only_page_says_why_and_offers_the_download(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(PANORAMA))
    assert "It has 4.2 gigapixels; 1 gigapixel is the limit." in page.text
    assert not page.all("img", id="shown")
    assert page.all("a", href=f"/i/{SLUG}/original?download")
    assert not [m for m in page.all("meta") if m.get("property") == "og:image"]


def test_a_click_on_what_browsers_cannot_show_leads_to_the_largest_size(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type="image/heic")))
    assert page.one("a", id="frame")["href"] == f"/i/{SLUG}/large.jpg"


def test_names_in_any_script_keep_their_direction(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, title="قطة")))
    assert page.one("h1")["dir"] == "auto"
    assert page.one("input", name="title")["dir"] == "auto"


def test_the_manage_form_posts_to_the_image_with_token_and_action(pages: LocalizedPages) -> None:
    page = Page(pages.images.manage_page(changed(PHOTO, title="Cat"), problem=WrongToken("Wrong token.")))
    assert page.one("form")["action"] == f"/i/{SLUG}/manage"
    assert "required" in page.one("input", name="token")
    assert page.one("input", name="title")["value"] == "Cat"
    assert [button["value"] for button in page.all("button", name="action")] == ["save", "delete"]
    assert page.all("option")[0]["value"] == ""
    assert "Wrong token." in page.text


def test_a_successful_change_keeps_the_token_in_the_form(pages: LocalizedPages) -> None:
    page = Page(pages.images.manage_page(PHOTO, notice="Saved.", delete_token=TOKEN))
    assert page.one("input", name="token")["value"] == TOKEN
    assert page.one("div", role="status", **{"class": "message notice"})


def test_the_uploaded_page_hands_out_the_manage_link(pages: LocalizedPages) -> None:
    page = Page(pages.images.uploaded_page(PHOTO, TOKEN))
    assert page.one("input", id="manage-link")["value"] == f"https://pics.example/i/{SLUG}#{TOKEN}"
    assert not [link for link in page.all("a") if TOKEN in link["href"]]


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


def test_a_deletion_can_be_undone_from_its_page(pages: LocalizedPages) -> None:
    page = Page(pages.images.deleted_page(PHOTO, TOKEN))
    assert page.one("input", type="hidden") == {"type": "hidden", "name": "token", "value": TOKEN}
    assert page.one("button")["value"] == "undo"
    assert "10 seconds" in page.text


def test_a_deletion_to_the_bin_says_until_when_it_can_be_restored(pages: LocalizedPages) -> None:
    page = Page(pages.images.deleted_page(PHOTO, TOKEN, restorable_until_s=NOW_S + 7 * 86_400))
    assert page.one("input", type="hidden")["value"] == TOKEN
    assert [button["value"] for button in page.all("button")] == ["restore", "delete-now"]
    assert "It can be restored until 30 November 2026." in page.text


def test_deleting_asks_without_a_script(pages: LocalizedPages) -> None:
    page = Page(pages.images.manage_page(PHOTO))
    assert page.one("details", **{"class": "delete"})
    assert page.one("button", value="delete")
    assert "for 7 days" in page.text
    assert page.one("img")["src"] == f"/i/{SLUG}/thumbnail.jpg"  # what it is about
    without = LocalizedPages(replace(CONFIG, deletion=Deletion(bin_days=0)))
    assert "undo this for 10 seconds" in Page(without.images.manage_page(PHOTO)).text
    assert 'data-bin-days="0"' in without.site.library_page()  # for the script


def test_an_expired_image_can_be_restored_within_its_grace_period(pages: LocalizedPages) -> None:
    page = Page(pages.images.gone_page(SLUG, End(Ending.EXPIRED, NOW_S + 86_400), problem=WrongToken("Wrong token.")))
    assert page.one("div", **{"class": "message problem"})
    assert [button["value"] for button in page.all("button")] == ["restore", "delete-now"]
    assert "24 November 2026" in page.text


def test_a_stranger_is_not_told_until_when_a_deleted_image_can_be_restored(pages: LocalizedPages) -> None:
    page = Page(pages.images.gone_page(SLUG, End(Ending.DELETED, NOW_S + 86_400)))
    assert [button["value"] for button in page.all("button")] == ["restore", "delete-now"]
    assert "November" not in page.text


@pytest.mark.parametrize("ended", [Ending.DELETED, Ending.EXPIRED, None])
def test_an_image_that_is_gone_for_good_offers_nothing(pages: LocalizedPages, ended: Ending | None) -> None:
    assert not Page(pages.images.gone_page(SLUG, End(ended))).all("form")


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
