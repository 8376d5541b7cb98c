"""The text of an access key: recognised by scanners, and a typo is told without a look-up."""

import re

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.access_keys import KeyUsage, generate_key, generate_key_for, id_of, is_key, key_in
from appliance.domain.slugs import ALPHABET

FORM = re.compile(r"imgk_[0-9A-Za-z]{44}")  # as docs/access.md gives it


def test_a_key_has_the_form_that_scanners_look_for_and_its_id() -> None:
    key_id, text = generate_key()
    assert FORM.fullmatch(text)
    assert (is_key(text), id_of(text)) == (True, key_id)
    assert id_of(generate_key_for(key_id)) == key_id
    assert generate_key_for(key_id) != text


@given(st.integers(5, 48), st.sampled_from(ALPHABET))
def test_every_typo_in_one_place_is_told(place: int, letter: str) -> None:
    _, text = generate_key(lambda alphabet: alphabet[7])
    changed = text[:place] + letter + text[place + 1 :]
    assert (id_of(changed) is None) is (changed != text)
    for other in ("", "imgk_", text[:-1], f"{text}0", f" {text}", text.replace("imgk_", "imgk-")):
        assert id_of(other) is None


def test_a_new_day_begins_with_nothing() -> None:
    used = KeyUsage(images=3, bytes=30, day=7, day_images=2, day_bytes=20)
    assert used.on(7) == used
    assert used.on(8).with_image(5) == KeyUsage(4, 35, 8, 1, 5)


def test_a_key_is_found_behind_what_programs_write_and_not_within_another_secret() -> None:
    _, text = generate_key()
    for sent in (text, f"Token {text}", f'"{text}"', f"key={text}", f" {text}\n"):
        assert key_in(sent) == text
    for token in ("Ix3ImGK_fH0MEGKBWtxMgg", "x-imgk_MEGKBWtxMgg_fH0", "", "imgk"):
        assert key_in(token) is None
