"""Large transfers pause while small ones run: counted in pauses, not in time."""

from appliance.shared.throttle import LINGER_S, Throttle

PAUSE_S = 0.02


class Time:
    """Stands still except for the pauses that are made."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


def throttled() -> tuple[Throttle, Time]:
    time = Time()
    return Throttle(PAUSE_S, lambda: time.now_s, time.sleep), time


def test_a_large_transfer_alone_never_pauses() -> None:
    throttle, time = throttled()
    for _ in range(1000):
        throttle.wait()
    assert time.pauses == []


def test_each_chunk_of_a_large_transfer_pauses_once_while_a_small_one_runs() -> None:
    throttle, time = throttled()
    with throttle.small_transfer():
        for _ in range(100):
            throttle.wait()
    assert time.pauses == [PAUSE_S] * 100, "one pause a chunk and no more: a large transfer is never stopped"


def test_it_pauses_a_little_longer_for_the_small_ones_that_will_follow_and_then_runs_at_full_speed() -> None:
    throttle, time = throttled()
    with throttle.small_transfer(), throttle.small_transfer():
        pass
    for _ in range(1000):
        throttle.wait()
    assert LINGER_S / PAUSE_S - 1 <= len(time.pauses) <= LINGER_S / PAUSE_S + 1


def test_a_small_transfer_that_fails_is_not_waited_for() -> None:
    throttle, time = throttled()
    try:
        with throttle.small_transfer():
            raise ConnectionError
    except ConnectionError:
        pass
    time.now_s += LINGER_S
    throttle.wait()
    assert time.pauses == []
