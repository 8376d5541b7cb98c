"""Upload options: names, texts and durations as people and programs write them, honest or not."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.domain.errors import IdempotencyKeyInvalid, InvalidExpiry, InvalidField
from appliance.domain.model import KeepMetadata, UploadOptions
from appliance.domain.upload_options import (
    DIRECTION_MARKS,
    MAX_ALT_CHARS,
    MAX_FILENAME_BYTES,
    MAX_TITLE_CHARS,
    UNITS_S,
    check_expiry,
    check_idempotency_key,
    clean_filename,
    clean_options,
    clean_text,
    parse_duration,
    parse_keep_metadata,
    with_option,
)

REFUSED_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
any_text = st.text(st.characters(exclude_categories=()), max_size=400)
plain_text = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=300)


@given(any_text)
@example("")
@example("...")
@example("a. .")
@example("a/..")
@example("x" * 300 + "." + "y" * 300)
@example("evil\u202egpj.exe")
@example("line\u2028break.jpg")
@example("\u200emark.jpg")
@example("\ud800.jpg")
def test_any_name_becomes_one_that_can_be_saved_anywhere(name: str) -> None:
    safe = clean_filename(name)
    assert 0 < len(safe.encode()) <= MAX_FILENAME_BYTES
    assert not set("/\\\0") & set(safe)
    assert not DIRECTION_MARKS & set(safe)
    assert not [char for char in safe if unicodedata.category(char) in REFUSED_CATEGORIES]
    assert safe == safe.strip()
    assert not safe.startswith(".")
    assert not safe.endswith(".")


@given(any_text)
def test_a_name_that_is_safe_stays_as_it_is(name: str) -> None:
    safe = clean_filename(name)
    assert clean_filename(safe) == safe


@given(plain_text, st.sampled_from(["jpg", "jpeg", "PNG", "webp", "tiff", "heic"]))
def test_the_extension_survives_however_long_the_name_is(stem: str, extension: str) -> None:
    assert clean_filename(f"{stem * 3}.{extension}").endswith(f".{extension}")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Grüße aus Köln.jpg", "Grüße aus Köln.jpg"),
        ("C:\\Photos\\cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("猫.png", "猫.png"),
        ("👨‍👩‍👧.jpg", "👨‍👩‍👧.jpg"),  # its joiners are part of the picture
        ("fe\u0301te.jpg", "féte.jpg"),
        (".hidden", "hidden"),
        ("   ", "image"),
        ("a. .", "a"),
        ("photo\r\n.jpg", "photo.jpg"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("\u200fשלום.jpg", "שלום.jpg"),
    ],
)
def test_names_come_out_as_a_person_would_write_them(name: str, safe: str) -> None:
    assert clean_filename(name) == safe


def test_a_long_name_is_cut_between_characters() -> None:
    assert clean_filename("猫" * 200 + ".jpg") == "猫" * 83 + ".jpg"


@given(st.integers(0, 10**12 - 1), st.sampled_from(["", *UNITS_S]))
def test_a_duration_is_a_number_and_a_unit(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * UNITS_S.get(unit, 1)


@given(st.text(max_size=20))
@example("٣d")
@example("1e3")
@example("+5")
@example("5 d")
@example("5D")
@example("1" * 13)
def test_what_is_no_duration_is_refused_and_never_misread(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except InvalidExpiry:
        return
    number = text.strip().rstrip("smhdw")
    assert number.isascii()
    assert number.isdigit()
    assert seconds == int(number) * UNITS_S.get(text.strip()[len(number) :], 1)


@pytest.mark.parametrize(("name", "most"), [("title", MAX_TITLE_CHARS), ("alt", MAX_ALT_CHARS)])
def test_a_text_is_taken_up_to_its_limit_and_told_its_length_beyond(name: str, most: int) -> None:
    assert clean_text(name, "ü" * most, most) == "ü" * most
    assert clean_text(name, f"  {'ü' * most}\n", most) == "ü" * most
    with pytest.raises(InvalidField) as fault:
        clean_text(name, "ü" * (most + 1), most)
    assert (fault.value.limit, fault.value.actual) == (most, most + 1)


@given(any_text)
def test_a_text_is_one_trimmed_line_or_none_or_refused(text: str) -> None:
    try:
        kept = clean_text("title", text, MAX_TITLE_CHARS)
    except InvalidField:
        return
    assert kept is None or (kept == kept.strip() and 0 < len(kept) <= MAX_TITLE_CHARS)
    assert not [char for char in kept or "" if unicodedata.category(char) in ("Cc", "Cs")]


@pytest.mark.parametrize("empty", [None, "", "  ", "\r\n\t"])
def test_an_empty_text_is_none(empty: str | None) -> None:
    assert clean_text("title", empty, MAX_TITLE_CHARS) is None


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x85b", "\ud800"])
def test_control_characters_in_a_text_are_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        clean_text("alt", text, MAX_ALT_CHARS)


@pytest.mark.parametrize(("seconds", "taken"), [(0, False), (1, True), (86_400, True), (86_401, False), (-1, False)])
def test_an_expiry_lies_between_one_second_and_the_limit(seconds: int, taken: bool) -> None:
    if taken:
        check_expiry(seconds, max_expiry_days=1)
        assert with_option(UploadOptions(), "expires_in", str(seconds), max_expiry_days=1).expires_in_s == seconds
        return
    with pytest.raises(InvalidExpiry) as fault:
        check_expiry(seconds, max_expiry_days=1)
    assert (fault.value.limit, fault.value.actual) == (86_400, seconds)


@pytest.mark.parametrize(("length", "taken"), [(15, False), (16, True), (255, True), (256, False)])
def test_an_idempotency_key_is_long_enough_to_be_a_secret(length: int, taken: bool) -> None:
    if taken:
        check_idempotency_key("k" * length)
        return
    with pytest.raises(IdempotencyKeyInvalid) as fault:
        check_idempotency_key("k" * length)
    assert fault.value.actual == length


@pytest.mark.parametrize(
    ("said", "keep"),
    [
        *((said, KeepMetadata.NOTHING) for said in (None, "", " ", "0", "false", "False", "no", "off")),
        *((said, KeepMetadata.CREDITS) for said in ("credits", " Credits ", "CREDITS")),
        *((said, KeepMetadata.ALL) for said in ("1", "true", "TRUE", "yes", "on")),
    ],
)
def test_what_stays_is_said_as_forms_and_people_say_it(said: str | None, keep: KeepMetadata) -> None:
    assert parse_keep_metadata(said) is keep


@pytest.mark.parametrize("said", ["maybe", "credit", "2", "all", "none", "fal\u017fe"])
def test_what_is_no_choice_is_refused_with_the_choices(said: str) -> None:
    with pytest.raises(InvalidField, match="false, credits or true"):
        parse_keep_metadata(said)


@given(any_text, st.text(max_size=50))
def test_what_was_checked_once_is_clean_already(name: str, title: str) -> None:
    options = with_option(UploadOptions(), "filename", name, 30)
    try:
        options = with_option(options, "title", title, 30)
    except InvalidField:
        return
    assert clean_options(options) == replace(options, filename=options.filename or "image")


def test_the_last_of_several_texts_counts_also_where_it_takes_one_back() -> None:
    options = with_option(UploadOptions(title="A", expires_in_s=60), "title", "", 30)
    assert with_option(options, "expires_in", "", 30) == UploadOptions()


def test_an_end_at_a_date_is_for_changes_alone() -> None:
    assert with_option(UploadOptions(), "expires_at", "", 30) == UploadOptions()
    with pytest.raises(InvalidExpiry, match="expires_in"):
        with_option(UploadOptions(), "expires_at", "2030-01-01", 30)
