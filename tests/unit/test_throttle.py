"""Giants give way to small objects: counted in pauses, not in time."""

from appliance.shared.throttle import LINGER_S, Pace

PAUSE_S = 0.02


class Time:
    """Stands still but for the pauses that are made."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


def paced() -> tuple[Pace, Time]:
    time = Time()
    return Pace(PAUSE_S, lambda: time.now_s, time.sleep), time


def test_a_giant_alone_never_pauses() -> None:
    pace, time = paced()
    for _ in range(1000):
        pace.give_way()
    assert time.pauses == []


def test_each_chunk_of_a_giant_pauses_while_a_small_object_is_on_its_way_and_still_goes() -> None:
    pace, time = paced()
    with pace.small():
        for _ in range(100):
            pace.give_way()
    assert time.pauses == [PAUSE_S] * 100, "one pause a chunk and no more: a giant is never stopped"


def test_it_pauses_some_time_longer_for_the_small_objects_that_will_follow_and_then_goes_at_full_speed() -> None:
    pace, time = paced()
    with pace.small(), pace.small():
        pass
    for _ in range(1000):
        pace.give_way()
    assert LINGER_S / PAUSE_S - 1 <= len(time.pauses) <= LINGER_S / PAUSE_S + 1


def test_a_small_object_that_fails_is_not_waited_for() -> None:
    pace, time = paced()
    try:
        with pace.small():
            raise ConnectionError
    except ConnectionError:
        pass
    time.now_s += LINGER_S
    pace.give_way()
    assert time.pauses == []
