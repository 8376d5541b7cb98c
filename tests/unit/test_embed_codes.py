"""What other programs are told: oEmbed, Chevereto, ShareX, and the codes that people paste."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.model import Config, Server
from appliance.domain.model import Image
from appliance.domain.renditions import Facts
from appliance.http.api.chevereto import chevereto_error, chevereto_upload
from appliance.http.api.contract import build_contract
from appliance.http.api.image_resource import renditions
from appliance.http.api.oembed import oembed as oembed_reply
from appliance.http.api.sharex import sharex_uploader
from appliance.http.links import Links
from appliance.http.pages.embed_codes import copy_codes, sized_codes
from tests.support.rows import changed

SLUG = "1A2b7Qw9ZxCvBnMkL"
CONFIG = Config(server=Server(public_url="https://pics.example"))
PHOTO = Image(
    slug=SLUG,
    filename="cat.in.garden.jpg",
    facts=Facts("image/jpeg", 2725, 2225),
    bytes=829_183,
    sha256="a" * 64,
    created_s=1_795_449_728,
    expires_s=1_795_449_728 + 365 * 86_400,
    token_hash="b" * 64,
)
PANORAMA = changed(PHOTO, media_type="image/tiff", filename="sky.tiff", original_only="Too many pixels.")


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": build_contract(CONFIG)["components"]}


def oembed(image: Image = PHOTO, **box: int | None) -> dict[str, Any]:
    return oembed_reply(image, CONFIG, cache_age_s=3600, **box)


def test_oembed_without_a_box_gives_the_largest_size_and_a_thumbnail() -> None:
    reply = oembed()
    assert (reply["type"], reply["version"], reply["cache_age"]) == ("photo", "1.0", 3600)
    assert (reply["url"], reply["width"], reply["height"]) == (f"https://pics.example/i/{SLUG}/large.jpg", 2048, 1672)
    assert reply["thumbnail_url"] == f"https://pics.example/i/{SLUG}/thumbnail.jpg"


def test_oembed_chooses_the_largest_size_inside_the_box() -> None:
    assert oembed(max_width=1100)["url"].endswith("/medium.jpg")
    assert oembed(max_height=500)["url"].endswith("/small.jpg")


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 40_000), st.integers(1, 40_000))
def test_oembed_never_leaves_the_box(max_width: int, max_height: int, width: int, height: int) -> None:
    reply = oembed(changed(PHOTO, width=width, height=height), max_width=max_width, max_height=max_height)
    assert 1 <= reply["width"] <= max_width
    assert 1 <= reply["height"] <= max_height
    assert reply.get("thumbnail_width", 1) <= max_width
    assert reply.get("thumbnail_height", 1) <= max_height
    jsonschema_rs.validate(schema("OEmbed"), reply)


def test_oembed_of_what_cannot_be_resized_is_a_link() -> None:
    reply = oembed(PANORAMA)
    assert reply["type"] == "link"
    assert "url" not in reply
    jsonschema_rs.validate(schema("OEmbed"), reply)


def test_the_oembed_address_quotes_the_share_link() -> None:
    query = parse_qs(urlsplit(Links.of(CONFIG).oembed(SLUG)).query)
    assert query == {"url": [f"https://pics.example/i/{SLUG}"]}


@pytest.mark.parametrize("image", [PHOTO, PANORAMA])
def test_the_chevereto_reply_is_what_the_contract_describes(image: Image) -> None:
    jsonschema_rs.validate(schema("CheveretoUpload"), chevereto_upload(image, CONFIG, "secret"))


def test_the_chevereto_reply_links_page_original_and_sizes() -> None:
    picture: Any = chevereto_upload(PHOTO, CONFIG, "secret")["image"]
    assert (picture["name"], picture["extension"]) == ("cat.in.garden", "jpg")
    assert picture["url"] == f"https://pics.example/i/{SLUG}.jpg"
    assert picture["url_viewer"] == f"https://pics.example/i/{SLUG}"
    assert picture["thumb"]["url"] == f"https://pics.example/i/{SLUG}/thumbnail.jpg"
    assert picture["medium"]["url"] == f"https://pics.example/i/{SLUG}/medium.jpg"
    assert picture["date"] == "2026-11-23 16:02:08"


def test_the_chevereto_delete_link_keeps_the_token_out_of_requests() -> None:
    picture: Any = chevereto_upload(PHOTO, CONFIG, "secret")["image"]
    link = urlsplit(picture["delete_url"])
    assert (link.fragment, link.query, link.path) == ("secret", "", f"/i/{SLUG}")


def test_the_original_stands_in_for_sizes_that_cannot_be_made() -> None:
    picture: Any = chevereto_upload(PANORAMA, CONFIG, "secret")["image"]
    assert picture["thumb"]["url"] == picture["url"] == f"https://pics.example/i/{SLUG}.tiff"


def test_a_chevereto_error_carries_the_stable_code() -> None:
    reply = chevereto_error(413, "too-large", "The file has 9 MB; 5 MB is the limit.")
    jsonschema_rs.validate(schema("CheveretoError"), reply)
    assert reply["error"] == {
        "message": "The file has 9 MB; 5 MB is the limit.",
        "code": 413,
        "context": "too-large",
    }


def test_the_sharex_uploader_posts_to_our_api_and_reads_its_reply() -> None:
    uploader = json.loads(json.dumps(sharex_uploader(CONFIG)))
    assert uploader["RequestURL"] == "https://pics.example/api/v1/images"
    assert uploader["FileFormName"] == "file"
    assert uploader["DeletionURL"] == "{json:url}#{json:delete_token}"
    assert "?" not in uploader["DeletionURL"]


def codes(image: Image) -> dict[str, str]:
    return {code.name: code.text for code in copy_codes(image, CONFIG)}


def test_copy_codes_show_the_picture_and_lead_to_its_page() -> None:
    page = f"https://pics.example/i/{SLUG}"
    assert codes(PHOTO) == {
        "link": page,
        "direct": f"{page}.jpg",
        "html": f'<a href="{page}"><img src="{page}/medium.jpg" width="1024" height="836" alt="cat.in.garden.jpg"></a>',
        "markdown": f"[![cat.in.garden.jpg]({page}/medium.jpg)]({page})",
        "bbcode": f"[url={page}][img]{page}/medium.jpg[/img][/url]",
        "forum": f"[url={page}][img]{page}/thumbnail.jpg[/img][/url]",
    }


def sized(image: Image) -> dict[str, dict[str, str]]:
    return {each.name: {code.name: code.text for code in each.codes} for each in sized_codes(image, CONFIG)}


def test_each_size_and_the_original_have_codes_of_their_own() -> None:
    page, found = f"https://pics.example/i/{SLUG}", sized(PHOTO)
    assert list(found) == ["thumbnail", "small", "medium", "medium-large", "large", "original"]
    assert found["small"] == {
        "image": f"{page}/small.jpg",
        "html": f'<a href="{page}"><img src="{page}/small.jpg" width="512" height="418" alt="cat.in.garden.jpg"></a>',
        "markdown": f"[![cat.in.garden.jpg]({page}/small.jpg)]({page})",
        "bbcode": f"[url={page}][img]{page}/small.jpg[/img][/url]",
    }
    assert found["original"]["bbcode"] == f"[url={page}][img]{page}.jpg[/img][/url]"
    assert [each.name for each in sized_codes(PHOTO, CONFIG) if each.is_chosen] == ["medium"]


def test_a_format_that_browsers_do_not_show_is_embedded_in_sizes_alone() -> None:
    heic = changed(PHOTO, media_type="image/heic")
    assert "original" not in sized(heic)
    assert codes(heic)["direct"] == f"https://pics.example/i/{SLUG}/large.jpg"


def test_codes_of_a_gif_say_gif_as_long_as_that_moves() -> None:
    moving = changed(PHOTO, media_type="image/gif", width=800, height=600, frames=24)
    assert codes(moving)["direct"] == f"https://pics.example/i/{SLUG}.gif"
    assert codes(moving)["forum"].endswith("/thumbnail.gif[/img][/url]")
    assert str(renditions(moving, CONFIG)["thumbnail"]["embed_url"]).endswith("/thumbnail.gif")
    assert "embed_url" not in renditions(PHOTO, CONFIG)["thumbnail"]
    long = sized(changed(moving, frames=300))
    assert long["small"]["image"].endswith("/small.webp")  # a GIF of these frames would stand still


def test_what_cannot_be_resized_has_plain_links_only() -> None:
    assert codes(PANORAMA) == {
        "link": f"https://pics.example/i/{SLUG}",
        "direct": f"https://pics.example/i/{SLUG}.tiff",
    }


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@given(st.text(min_size=1))
def test_no_description_breaks_out_of_the_html_code(alt: str) -> None:
    tags = _Tags()
    tags.feed(codes(replace(PHOTO, alt=alt))["html"])
    assert [tag for tag, _ in tags.seen] == ["a", "img"]
    assert tags.seen[1][1].keys() == {"src", "width", "height", "alt"}


@given(st.text(min_size=1))
def test_no_description_breaks_out_of_the_markdown_code(alt: str) -> None:
    text = codes(replace(PHOTO, alt=alt))["markdown"]
    said = text.removeprefix("[![").rpartition(f"](https://pics.example/i/{SLUG}/medium.jpg)]")[0]
    unescaped = re.sub(r"\\.", "", said, flags=re.DOTALL)
    assert not set(unescaped) & set("[]<>\\\n")
