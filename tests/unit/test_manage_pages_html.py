"""The pages for owners without a script: managing, the hand-out after an upload, deletion and its bin."""

from dataclasses import replace

import pytest

from appliance.config.model import Deletion
from appliance.domain.errors import WrongToken
from appliance.domain.model import Ending
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.lifecycle.endings import End
from tests.support.rendered_page import CONFIG, NOW_S, PHOTO, SLUG, TOKEN, Page
from tests.support.rows import changed


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


def test_the_last_days_in_the_bin_are_told_to_the_minute(pages: LocalizedPages) -> None:
    end = End(Ending.EXPIRED, NOW_S + 86_400)
    page = Page(pages.images.gone_page(SLUG, end))
    assert "It can be restored until 24 November 2026, 16:02 UTC." in page.text
    assert page.one("span", **{"data-moments": ""})  # a script writes it in the viewer's time zone
    later = Page(pages.images.gone_page(SLUG, End(Ending.EXPIRED, NOW_S + 7 * 86_400)))
    assert "It can be restored until 30 November 2026." in later.text


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
