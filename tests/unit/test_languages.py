"""The pages in other languages: every word is translated, and each browser gets the one that it asks for."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import FormData

from appliance.http.localization.formatting import Formatter
from appliance.http.localization.languages import ENGLISH, choose_language, read_languages
from appliance.http.pages.assets import web_root
from appliance.http.pages.localized_pages import LocalizedPages
from tests.support import wording
from tests.support.host import Host, OpenHost, small_config
from tests.support.pseudo_languages import MIRRORED, write_language
from tests.support.rendered_page import CONFIG, Page

NOW_S = 1_795_449_728  # 2026-11-23T16:02:08Z
LANGUAGES = read_languages(web_root() / "locale")
GERMAN = next(each for each in LANGUAGES if each.tag == "de")
UPDATE = "run `make words`, then fill in what is new"


def test_the_template_holds_what_is_said_now() -> None:
    assert wording.TEMPLATE.read_bytes() == wording.written(wording.collected()), UPDATE


@pytest.mark.parametrize("language", wording.catalogues())
def test_every_message_is_translated(language: str) -> None:
    catalogue = wording.read(wording.catalogues()[language])
    there = {message.id for message in catalogue if message.id}
    assert there == {message.id for message in wording.read(wording.TEMPLATE) if message.id}, UPDATE
    assert [message.id for message in catalogue if message.id and not wording.is_whole(message)] == []


@pytest.mark.parametrize("language", wording.catalogues())
def test_no_translation_loses_a_value_or_an_element(language: str) -> None:
    """Else a page would fail only when somebody who reads that language opens it."""
    for message in wording.read(wording.catalogues()[language]):
        needed = marks(wording.forms(message.id)[-1])
        for form in wording.forms(message.string) if message.id else ():
            assert marks(form) == needed, message.id


def marks(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|\{\w+\}|<[^>]+>|%%", text))


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("DE", "de"),
        ("fr,de;q=0.5", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0,en", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=bad, ;;,=", "en"),
    ],
)
def test_the_language_most_asked_for_is_chosen(header: str, tag: str) -> None:
    assert choose_language(header, LANGUAGES).tag == tag


def test_numbers_and_times_are_written_as_the_language_has_them() -> None:
    german = Formatter(GERMAN)
    assert german.size(1_250_000) == "1,2 MB"
    assert german.expiry(NOW_S + 365 * 86_400, NOW_S) == "23. November 2027 (in 12 Monaten)"
    assert german.expiry(NOW_S + 3 * 3600, NOW_S) == "23. November 2026, 19:02 UTC (in 3 Stunden)"
    assert german.days(365) == "1 Jahr"
    assert Formatter(ENGLISH).days(365) == "1 year"


def test_a_language_is_one_file(tmp_path: Path) -> None:
    write_language(tmp_path, MIRRORED)
    english, mirrored = read_languages(tmp_path)
    pages = LocalizedPages(CONFIG, language=mirrored)
    html = Page(pages.site.upload_page()).one("html")
    assert (english.direction, html["lang"], html["dir"]) == ("ltr", MIRRORED, "rtl")
    assert pages.assets.get(f"messages.{MIRRORED}.js") is not None


def test_scripts_choose_a_plural_form_by_the_rule_of_the_language(tmp_path: Path) -> None:
    write_language(tmp_path, "pl")
    assert b"appliancePlural=n=>Number((n==1 ? 0 : n%10>=2" in read_languages(tmp_path)[1].script


async def test_a_page_comes_in_the_language_that_the_browser_asks_for(host: Host) -> None:
    german = await host.get("/", Accept_Language="de")
    assert 'lang="de"' in (text := await german.text())
    assert "Ein Bild teilen" in text
    assert sorted(german.headers.getall("Vary")) == ["Accept-Encoding", "Accept-Language"]
    assert "Share an image" in await (await host.get("/")).text()


async def test_a_share_page_in_one_language_is_never_taken_for_the_other(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    path = f"/i/{image['slug']}"
    english, german = await host.get(path), await host.get(path, Accept_Language="de")
    assert english.headers["ETag"] != german.headers["ETag"]
    again = await host.get(path, Accept_Language="de", If_None_Match=german.headers["ETag"])
    assert (again.status, again.headers["Vary"]) == (304, "Accept-Language")
    changed = await host.get(path, Accept_Language="de", If_None_Match=english.headers["ETag"])
    assert changed.status == 200


async def test_an_error_is_named_in_the_readers_language(host: Host) -> None:
    page = await (await host.get("/nothing", Accept="text/html", Accept_Language="de")).text()
    assert "Seite nicht gefunden" in page
    assert '<p class="lead" dir="auto">Unter dieser Adresse ist nichts. Prüfe sie auf Tippfehler.</p>' in page
    english = await (await host.get("/nothing", Accept="text/html")).text()
    assert '<p class="lead" dir="auto">There is nothing at this address. Check it for typos.</p>' in english


async def test_a_refusal_is_told_on_the_form_in_the_readers_language(host: Host) -> None:
    form = FormData({"title": "Katze"})
    form.add_field("file", b"BM" + bytes(60), filename="cat.bmp")
    page = await host.client.post("/", data=form, headers={"Accept": "text/html", "Accept-Language": "de"})
    text = await page.text()
    assert page.status == 415
    assert "Diese Datei ist kein Bild in einem unterstützten Format." in text
    assert 'lang="en"' not in text


async def test_a_wrong_token_is_told_in_the_readers_language(host: Host, jpeg: bytes) -> None:
    path = f"/i/{(await host.upload(jpeg))['slug']}/manage"
    browser = {"Accept": "text/html", "Accept-Language": "de"}
    page = await host.client.post(path, data={"token": "x" * 22, "action": "delete"}, headers=browser)
    assert "Der Löschschlüssel ist falsch." in await page.text()


async def test_an_albums_problem_is_told_in_the_readers_language(host: Host) -> None:
    browser = {"Accept": "text/html", "Accept-Language": "de"}
    page = await host.client.post("/a", data={"images": "0000aaaaaaaaaaaaa"}, headers=browser)
    text = await page.text()
    assert page.status == 400
    assert "Nicht hinzugefügt werden können 1 dieser Bilder, weil" in text
    assert 'lang="en"' not in text


async def test_why_a_picture_has_no_sizes_is_told_in_the_readers_language(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_pixels=1000))
    path = f"/i/{(await host.upload(jpeg))['slug']}"
    german = await (await host.get(path, Accept="text/html", Accept_Language="de")).text()
    assert re.search(r"Es hat [\d.]+ Pixel\. Dieser Server verkleinert Bilder bis 1\.000 Pixel\.", german)
    assert "This host resizes images of up to 1,000" in await (await host.get(path, Accept="text/html")).text()
