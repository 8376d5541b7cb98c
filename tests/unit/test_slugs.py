"""Slugs: their shape, their order, and what their keys are."""

from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.domain.slugs import ALPHABET, EPOCH_S, LENGTH, is_slug, mint, minted_s, object_key, shard, sidecar_key

LAST_S = EPOCH_S + 62**4 * 60 - 1
MOMENTS = st.integers(EPOCH_S, LAST_S)


@given(MOMENTS)
def test_what_is_minted_is_a_slug(now_s: int) -> None:
    assert is_slug(mint(now_s))


@given(MOMENTS, MOMENTS)
def test_slugs_sort_by_the_minute_of_their_minting(one_s: int, other_s: int) -> None:
    assume(one_s // 60 != other_s // 60)
    assert (mint(one_s) < mint(other_s)) == (one_s < other_s)


@given(st.text())
def test_only_seventeen_letters_and_digits_are_a_slug(text: str) -> None:
    assert is_slug(text) == (len(text) == LENGTH and all(char in ALPHABET for char in text))


@given(MOMENTS)
def test_keys_lead_to_one_folder_a_minute(now_s: int) -> None:
    slug = mint(now_s)
    assert object_key(slug) == f"originals/{slug[:4]}/{slug}"
    assert sidecar_key(slug) == f"meta/{slug[:4]}/{slug}.json"


def test_a_clock_before_our_time_still_mints_slugs() -> None:
    assert is_slug(mint(0.0))


def test_no_two_slugs_of_a_minute_are_alike() -> None:
    assert len({mint(EPOCH_S) for _ in range(1000)}) == 1000


@given(MOMENTS)
def test_a_slug_tells_the_minute_of_its_minting(now_s: int) -> None:
    assert minted_s(mint(now_s)) == now_s // 60 * 60
    assert mint(now_s).startswith(shard(now_s))
