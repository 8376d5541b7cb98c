"""How the work for foreign bytes grows with their number: what is linear takes sixteen times as long for sixteen times
as many, and what is not takes two hundred and fifty times.

Time on a core is counted, not time on a clock, the least of several runs counts, and there is slack for four times as
much: so a busy machine changes nothing.
"""

import itertools
import time
from collections.abc import Callable

SMALL_BYTES, LARGE_BYTES = 1 << 16, 1 << 20
SLACK = 4
FLOOR_S = 0.05
"""What may be spent on anything: caches that are cold, a collection of garbage."""
RUNS = 3


def cost_s(work: Callable[[], object]) -> float:
    """Of this thread, for one of the runs: the cheapest."""
    spent: list[float] = []
    for _ in range(RUNS):
        began_s = time.thread_time()
        work()
        spent.append(time.thread_time() - began_s)
        if spent[-1] < FLOOR_S:
            break
    return min(spent)


def assert_linear(
    work: Callable[[str], object], unit: str, *, large: int = LARGE_BYTES, small: int = SMALL_BYTES
) -> None:
    """`work` is given texts of `unit`, repeated until they have so many characters."""
    few, many = (unit * (size // len(unit) + 1) for size in (small, large))
    extra = itertools.count()  # no two texts are the same, for a cache would hold the second
    few_s = cost_s(lambda: work(few + unit * next(extra)))
    assert_bounded(few_s, lambda: cost_s(lambda: work(many + unit * next(extra))), large / small, unit)


def assert_bounded(few_s: float, many: Callable[[], float], ratio: float, what: str) -> None:
    """`few_s` is the cost of a few, `many` measures that of `ratio` times as many."""
    allowed_s = few_s * ratio * SLACK + FLOOR_S
    assert few_s < 1, f"{what[:60]!r}: {few_s:.2f} s for a few"
    spent_s = many()
    assert spent_s <= allowed_s, f"{what[:60]!r}: {spent_s:.3f} s, {few_s:.3f} s for {ratio:.0f} times fewer"


def loop_s() -> float:
    """What this machine takes for a hundred thousand turns of a loop that does nothing: a measure of other work."""
    spent: list[float] = []
    for _ in range(5):
        began_s = time.thread_time()
        for _turn in range(100_000):
            pass
        spent.append(time.thread_time() - began_s)
    return min(spent)
