"""The memory of failures: for how long, and of how many."""

from appliance.shared.negative_cache import NegativeCache


class Time:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_key_is_forgotten_once_its_time_is_over() -> None:
    time = Time()
    failed: NegativeCache[str] = NegativeCache(ttl_s=60, clock=time)
    failed.add("a")
    time.now_s += 59.9
    assert "a" in failed
    assert "b" not in failed
    time.now_s += 0.1
    assert "a" not in failed


def test_a_key_that_fails_again_is_remembered_from_then_on() -> None:
    time = Time()
    failed: NegativeCache[str] = NegativeCache(ttl_s=60, clock=time)
    failed.add("a")
    time.now_s += 59
    failed.add("a")
    time.now_s += 59
    assert "a" in failed


def test_a_key_that_is_discarded_may_be_tried_again() -> None:
    failed: NegativeCache[str] = NegativeCache(ttl_s=60, clock=Time())
    failed.add("a")
    failed.discard("a")
    failed.discard("never failed")
    assert "a" not in failed


def test_the_oldest_make_room_for_new_ones() -> None:
    time = Time()
    failed: NegativeCache[int] = NegativeCache(ttl_s=60, clock=time, max_keys=3)
    for key in range(5):
        failed.add(key)
        time.now_s += 1
    assert [key for key in range(5) if key in failed] == [2, 3, 4]
