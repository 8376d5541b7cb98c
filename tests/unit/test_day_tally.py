"""The tally of one upload: a day gets back what it was charged, and nothing that another day was."""

from collections import Counter

from appliance.limits import DayTally


def test_a_day_gets_back_what_it_was_charged() -> None:
    day, charged = [1], Counter[str]()

    def charge(account: str, count: int) -> None:
        charged[account] += count

    tally = DayTally(charge, lambda: day[0])
    tally.charge(["one"], 100)
    tally.charge(["one"], -40)
    assert charged["one"] == 60
    day[0], charged["one"] = 2, 0
    tally.charge(["one"], -60)
    assert charged["one"] == 0, "it was charged yesterday"
    tally.charge(["one"], 30)
    tally.charge(["one"], -50)
    assert charged["one"] == 0, "of these, 30 were charged today"
