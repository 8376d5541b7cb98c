"""A node that wasn't heard itself can't tell that others are silent."""

import pytest

from appliance.domain.nodes import BEAT_EVERY_S, DEAD_AFTER_S
from appliance.nodes.pulse import STEADY_WITHIN_S, Pulse
from tests.support.host import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000)


@pytest.fixture
def pulse(clock: ManualClock) -> Pulse:
    return Pulse(clock)


def test_a_pulse_is_steady_from_the_first_beat_on(pulse: Pulse, clock: ManualClock) -> None:
    assert not pulse.is_steady
    for _ in range(3):
        pulse.record(clock())
        assert pulse.is_steady
        clock.now_s += BEAT_EVERY_S
        assert pulse.is_steady


def test_a_pulse_is_not_steady_while_its_beats_are_not_heard(pulse: Pulse, clock: ManualClock) -> None:
    pulse.record(clock())
    clock.now_s += STEADY_WITHIN_S
    assert not pulse.is_steady


def test_after_a_gap_the_others_get_the_time_that_a_node_may_be_silent(pulse: Pulse, clock: ManualClock) -> None:
    pulse.record(clock())
    clock.now_s += STEADY_WITHIN_S
    returned_s = clock()
    while clock() < returned_s + DEAD_AFTER_S:
        pulse.record(clock())
        assert not pulse.is_steady
        clock.now_s += BEAT_EVERY_S
    pulse.record(clock())
    assert pulse.is_steady
