"""The upload form without a script: its fields, its choices, and what it says."""

from dataclasses import replace

import pytest

from appliance.config.model import Uploads
from appliance.domain.errors import UnsupportedFormat
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.http.pages.site_pages import UploadFormValues
from tests.support.rendered_page import CONFIG, Page


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
