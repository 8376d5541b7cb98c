"""The image resource, its links and the words that figures are put in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.model import Config, Renditions, Server
from appliance.domain.errors import UnfitInstallation
from appliance.domain.model import ContentCredentials, Image, KeepMetadata
from appliance.domain.renditions import Facts, Format, Preset
from appliance.http import links
from appliance.http.api.contract import build_contract
from appliance.http.api.image_resource import image_resource, limits_resource
from appliance.http.localization import formatting
from appliance.http.localization.formatting import ENGLISH_FORMATTER
from appliance.http.pages.assets import Assets, check_built
from tests.support.rows import changed

SLUG = "1A2b7Qw9ZxCvBnMkL"
NOW_S = 1_795_449_728  # 2026-11-23T16:02:08Z
CONFIG = Config(server=Server(public_url="https://pics.example/"))
PHOTO = Image(
    slug=SLUG,
    filename="cat.jpg",
    facts=Facts("image/jpeg", 2725, 2225),
    bytes=829_183,
    sha256="a" * 64,
    created_s=NOW_S,
    expires_s=NOW_S + 365 * 86_400,
    token_hash="b" * 64,
)
PANORAMA = changed(PHOTO, media_type="image/tiff", original_only="It has more pixels than this host resizes.")


def as_schema(name: str) -> dict[str, Any]:
    document = build_contract(CONFIG)
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_the_resource_has_the_fields_of_the_contract_in_their_order() -> None:
    assert list(image_resource(PHOTO, CONFIG, delete_token="t" * 22)) == [
        "slug",
        "url",
        "state",
        "filename",
        "title",
        "alt",
        "media_type",
        "bytes",
        "sha256",
        "width",
        "height",
        "frames",
        "incomplete",
        "private_data",
        "content_credentials",
        "created_at",
        "expires_at",
        "locked",
        "one_view",
        "viewed_at",
        "original",
        "renditions",
        "delete_token",
    ]


def test_the_resource_of_a_photo_says_what_and_where_it_is() -> None:
    resource = image_resource(PHOTO, CONFIG)
    assert resource["url"] == f"https://pics.example/i/{SLUG}"
    assert resource["state"] == "ready"
    assert resource["created_at"] == "2026-11-23T16:02:08Z"
    assert resource["expires_at"] == "2027-11-23T16:02:08Z"
    assert resource["original"] == {
        "url": f"https://pics.example/i/{SLUG}/original",
        "width": 2725,
        "height": 2225,
        "media_type": "image/jpeg",
    }
    assert resource["renditions"] == {
        "thumbnail": {"url": f"https://pics.example/i/{SLUG}/thumbnail.jpg", "width": 256, "height": 209},
        "small": {"url": f"https://pics.example/i/{SLUG}/small.jpg", "width": 512, "height": 418},
        "medium": {"url": f"https://pics.example/i/{SLUG}/medium.jpg", "width": 1024, "height": 836},
        "medium-large": {"url": f"https://pics.example/i/{SLUG}/medium-large.jpg", "width": 1536, "height": 1254},
        "large": {"url": f"https://pics.example/i/{SLUG}/large.jpg", "width": 2048, "height": 1672},
    }


@pytest.mark.parametrize("keep", KeepMetadata)
def test_the_resource_says_what_was_to_stay_where_that_is_known(keep: KeepMetadata) -> None:
    assert "keep_metadata" not in image_resource(PHOTO, CONFIG)  # from before it was recorded
    image = replace(PHOTO, keep_metadata=keep, content_credentials=ContentCredentials.REMOVED)
    resource = image_resource(image, CONFIG)
    assert (resource["keep_metadata"], resource["content_credentials"]) == (keep.value, "removed")
    jsonschema_rs.validator_for(as_schema("Image"), validate_formats=True).validate(resource)


def test_the_limits_name_the_choices_the_default_first() -> None:
    uploads = limits_resource(CONFIG, "on")["uploads"]
    assert isinstance(uploads, dict)
    assert uploads["keep_metadata"] == ["false", "credits", "true"]


def test_the_token_is_shown_only_when_it_is_given() -> None:
    assert "delete_token" not in image_resource(PHOTO, CONFIG)
    assert "token" not in str(image_resource(PHOTO, CONFIG))


def test_an_original_only_resource_has_no_renditions_and_says_why() -> None:
    resource = image_resource(PANORAMA, CONFIG)
    assert (resource["state"], resource["renditions"]) == ("original-only", {})
    assert resource["problem"] == {
        "code": "cannot-resize",
        "title": "This image can't be resized",
        "detail": "It has more pixels than this host resizes.",
    }


def test_pictures_with_alpha_or_motion_are_linked_as_webp() -> None:
    for image in (
        changed(PHOTO, media_type="image/png", has_alpha=True),
        changed(PHOTO, media_type="image/gif", frames=9),
    ):
        assert f"{SLUG}/small.webp" in str(image_resource(image, CONFIG)["renditions"])


def test_the_presets_of_the_configuration_are_the_ones_listed() -> None:
    config = replace(CONFIG, renditions=Renditions(presets=(Preset("tiny", 100),)))
    assert list(image_resource(PHOTO, config)["renditions"]) == ["tiny"]  # type: ignore[call-overload]


@pytest.mark.parametrize("image", [PHOTO, PANORAMA, changed(PHOTO, title="قطة", alt="", width=1, height=1)])
@pytest.mark.parametrize("token", [None, "t" * 22])
def test_the_resource_is_what_the_contract_describes(image: Image, token: str | None) -> None:
    validator = jsonschema_rs.validator_for(as_schema("Image"), validate_formats=True)
    validator.validate(image_resource(image, CONFIG, delete_token=token))


def test_the_contract_refuses_a_resource_without_a_time() -> None:
    resource = image_resource(PHOTO, CONFIG) | {"created_at": "2026-11-23 16:02:08"}
    assert not jsonschema_rs.validator_for(as_schema("Image"), validate_formats=True).is_valid(resource)


def test_the_limits_are_what_the_contract_describes() -> None:
    told = dict(limits_resource(CONFIG, "on"))
    jsonschema_rs.validate(as_schema("Limits"), told)
    assert told["expiry"] == {"default_days": 365, "max_days": 730, "min_seconds": 1}


def test_every_limit_stands_in_the_contract() -> None:
    described = as_schema("Limits")["components"]["schemas"]["Limits"]["properties"]
    told = {section: set(limits) for section, limits in dict(limits_resource(CONFIG, "on")).items()}  # type: ignore[call-overload]
    assert told == {section: set(described[section]["properties"]) for section in described}


def test_paths_are_those_of_the_contract() -> None:
    assert links.share_path(SLUG) == f"/i/{SLUG}"
    assert links.manage_path(SLUG) == f"/i/{SLUG}/manage"
    assert links.rendition_path(SLUG, "small", Format.AVIF) == f"/i/{SLUG}/small.avif"
    assert links.file_path(SLUG, "image/jpeg") == f"/i/{SLUG}.jpg"
    assert links.file_path(SLUG, "image/tiff") == f"/i/{SLUG}.tiff"
    assert links.file_path(SLUG, "application/x-unknown") == f"/i/{SLUG}.bin"
    assert links.api_path(SLUG) == f"/api/v1/images/{SLUG}"


def test_the_manage_link_carries_its_token_behind_the_fragment_mark() -> None:
    link = links.Links.of(CONFIG).manage(SLUG, "secret")
    assert link == f"https://pics.example/i/{SLUG}#secret"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (1234, "1.2 KB"),
        (829_183, "829 KB"),
        (999_499, "999 KB"),
        (999_999, "1 MB"),
        (1_250_000, "1.2 MB"),
        (52_000_000_000, "52 GB"),
        (5 * 10**12, "5 TB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_bytes_in_words(count: int, said: str) -> None:
    assert ENGLISH_FORMATTER.size(count) == said


@given(st.integers(min_value=0, max_value=10**15))
def test_bytes_in_words_are_within_five_percent_of_the_figure(count: int) -> None:
    number, unit = ENGLISH_FORMATTER.size(count).split()
    scale = {"byte": 1, "bytes": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}.get(unit, 10**15)
    assert abs(float(number) * scale - count) <= count * 0.05


@pytest.mark.parametrize(
    ("left_s", "said"),
    [
        (1, "less than a minute"),
        (60, "1 minute"),
        (3600, "60 minutes"),
        (2 * 3600 - 1, "2 hours"),
        (86_400, "24 hours"),
        (7 * 86_400, "7 days"),
        (30 * 86_400 - 5, "30 days"),
        (365 * 86_400 - 5, "12 months"),
        (730 * 86_400, "2 years"),
    ],
)
def test_spans_in_words(left_s: float, said: str) -> None:
    assert ENGLISH_FORMATTER.duration(left_s) == said


def test_expiry_in_words_gives_the_span_and_the_date() -> None:
    assert ENGLISH_FORMATTER.expiry(NOW_S + 365 * 86_400, NOW_S) == "23 November 2027 (in 12 months)"


def test_an_expiry_that_is_near_has_its_time_of_day() -> None:
    assert ENGLISH_FORMATTER.expiry(NOW_S + 3 * 3600, NOW_S) == "23 November 2026, 19:02 UTC (in 3 hours)"


def test_an_expiry_that_is_past_has_no_span() -> None:
    assert ENGLISH_FORMATTER.expiry(NOW_S - 1, NOW_S) == "23 November 2026"


@pytest.mark.parametrize(
    ("media_type", "said"),
    [("image/jpeg", "JPEG"), ("image/webp", "WebP"), ("image/heif", "HEIF"), ("image/heic", "HEIC")],
)
def test_formats_are_written_as_people_know_them(media_type: str, said: str) -> None:
    assert formatting.format_name(media_type) == said


def test_the_address_of_a_static_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("a{}")
    before = Assets(tmp_path)
    (tmp_path / "style.css").write_text("b{}")
    assert before.url("style.css") != Assets(tmp_path).url("style.css")
    asset = before.get("style.css")
    assert asset is not None
    assert (asset.data, asset.media_type) == (b"a{}", "text/css; charset=utf-8")


def test_only_listed_files_of_known_types_are_served(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("private")
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons" / "a.svg").write_text("<svg/>")
    assets = Assets(tmp_path)
    assert assets.get("notes.txt") is None
    assert assets.get("../icons/a.svg") is None
    assert assets.get("icons/a.svg") is not None


def test_a_chunk_that_scripts_share_is_kept_for_ever_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    for name in ("page.js", "chunk-ABC.js"):
        (tmp_path / "built" / name).write_text("1")
    assets = Assets(tmp_path)
    assert assets.is_current("built/chunk-ABC.js", None)
    assert not assets.is_current("built/page.js", None)


def test_a_checkout_whose_pages_are_not_built_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UnfitInstallation, match="make web"):
        check_built(tmp_path)
