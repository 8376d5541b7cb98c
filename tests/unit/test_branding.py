"""The operator's own name, logo, colour and links on the pages."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.load import load
from appliance.config.model import Config, Server, Site
from appliance.domain import colours
from appliance.domain.errors import ConfigError
from appliance.http.pages.assets import web_root
from appliance.http.pages.localized_pages import LocalizedPages
from tests.support.host import OpenHost
from tests.support.rendered_page import PHOTO, Page
from tests.support.rows import changed

NOWHERE = Path("/nonexistent/appliance.toml")
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
TOKENS = (web_root() / "styles" / "parts" / "tokens.css").read_text()


def pages(**site: object) -> LocalizedPages:
    return LocalizedPages(Config(server=Server(public_url="https://pics.example"), site=Site(**site)))  # type: ignore[arg-type]


@given(COLOURS)
def test_every_accent_can_be_read_in_both_themes(colour: str) -> None:
    for accent, ground in (
        (colours.light(colour), colours.LIGHT_GROUND),
        (colours.dark(colour), colours.DARK_GROUND),
    ):
        assert colours.contrast(accent.plain, ground) >= colours.AA
        assert colours.contrast(accent.strong, accent.text) >= colours.AA
        assert colours.contrast(accent.plain, accent.text) >= colours.AA


def test_an_accent_that_can_be_read_already_stays_as_it_is() -> None:
    assert colours.light("#0c6b64").plain == "#0c6b64"
    assert colours.light("#036") == colours.light("#003366")


@pytest.mark.parametrize(
    ("theme", "ground"),
    [(0, colours.LIGHT_GROUND), (1, colours.DARK_GROUND)],
)
def test_no_ground_of_the_style_sheet_is_beyond_what_accents_are_fitted_to(theme: int, ground: str) -> None:
    part = re.split(r"@media \(prefers-color-scheme: dark\)", TOKENS)[theme]
    grounds = re.findall(r"--ground-[a-z]+: (#[0-9a-f]{6})", part)
    assert len(grounds) >= 4
    brightness = {each: colours.contrast(each, "#000000") for each in grounds}
    worst = min(brightness.values()) if theme == 0 else max(brightness.values())
    assert brightness[ground] == worst


async def test_the_accent_comes_as_a_style_sheet_of_its_own(open_host: OpenHost) -> None:
    host = await open_host(site=Site(accent="#b00020"))
    page = Page(await (await host.get("/")).text())
    sheet = next(link["href"] for link in page.all("link", rel="stylesheet") if "accent" in link["href"])
    reply = await host.get(sheet)
    assert "--accent:#b00020" in await reply.text()
    assert reply.content_type == "text/css"
    assert "immutable" in reply.headers["Cache-Control"]


async def test_the_logo_takes_the_place_of_ours(open_host: OpenHost, tmp_path: Path) -> None:
    (tmp_path / "ours.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    host = await open_host(site=Site(name="Bilderkiste", logo=tmp_path / "ours.svg"))
    text = await (await host.get("/")).text()
    source = Page(text).one("img", **{"class": "logo"})["src"]
    assert "Bilderkiste</title>" in text
    assert await (await host.get(source)).read() == (tmp_path / "ours.svg").read_bytes()


def test_imprint_privacy_and_report_are_linked_where_they_are_set() -> None:
    site = pages(imprint_url="https://a.example/i", privacy_url="https://a.example/p", report="abuse@a.example")
    links = {link["href"] for link in Page(site.images.share_page(PHOTO)).all("a")}
    assert {"https://a.example/i", "https://a.example/p"} <= links
    page = f"https%3A%2F%2Fpics.example%2Fi%2F{PHOTO.slug}"
    by_form = pages(report="https://a.example/report?page={url}")
    assert f"https://a.example/report?page={page}" in {
        a["href"] for a in Page(by_form.images.share_page(PHOTO)).all("a")
    }
    assert "Report" not in Page(pages().images.share_page(PHOTO)).text


def test_a_report_by_email_says_which_image_and_asks_why() -> None:
    shown = Page(pages(report="abuse@a.example").images.share_page(changed(PHOTO, title="50 % & más\u2026?")))
    url = urlsplit(next(link["href"] for link in shown.all("a") if link["href"].startswith("mailto:")))
    fields = parse_qs(url.query, strict_parsing=True)
    link = f"https://pics.example/i/{PHOTO.slug}"
    assert (url.path, fields["subject"]) == ("abuse@a.example", [f"Report: 50 % & más\u2026? ({link})"])
    body = fields["body"][0].split("\r\n")
    assert body[0] == link
    assert "- It infringes my copyright." in body
    assert "+" not in url.query  # which mail programs would show
    assert shown.one("input", id="report-address")["value"] == "abuse@a.example"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ACCENT", "teal"),
        ("ACCENT", "#12345"),
        ("LOGO", "/nonexistent/logo.svg"),
        ("LOGO", __file__),
        ("IMPRINT_URL", "javascript:alert(1)"),
        ("PRIVACY_URL", "example.org"),
        ("REPORT", "mailto:me@example.org"),
        ("REPORT", "nobody"),
    ],
)
def test_what_cannot_work_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"site.{key.lower()} = "):
        load(None, {f"APPLIANCE_SITE_{key}": value}, NOWHERE)
