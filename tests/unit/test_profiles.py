"""ICC profiles: those of ours, and what is made of others."""

import pytest
import pyvips

from appliance.imaging import profiles
from appliance.imaging.profiles import Space, compact, describe


@pytest.mark.parametrize("space", [Space.P3, Space.ADOBE])
def test_a_profile_of_ours_is_small_and_describes_what_it_is(space: Space) -> None:
    assert len(compact(space)) < 500
    assert describe(compact(space)) == profiles.Description(space, is_exact=True)


def test_the_profiles_of_libvips_are_recognised() -> None:
    for name, space in (("srgb", Space.SRGB), ("p3", Space.P3)):
        found = describe(bytes(pyvips.Operation.call("profile_load", name)))
        assert found == profiles.Description(space, is_exact=True)


def test_a_broken_profile_describes_nothing() -> None:
    whole = compact(Space.P3)
    for length in range(len(whole)):
        describe(whole[:length])
    for at in range(128, len(whole)):
        describe(whole[:at] + b"\xff" + whole[at + 1 :])
