"""Day budgets: amounts add up by name and day, and days that are over are forgotten."""

from appliance.catalogue import Catalogue

ONE, OTHER, THIRD = b"1" * 16, b"2" * 16, b"3" * 16


async def test_amounts_add_up_and_never_fall_below_nothing(catalogue: Catalogue) -> None:
    budgets = catalogue.day_budgets
    await budgets.add(7, {ONE: 100, OTHER: 5})
    await budgets.add(7, {ONE: 20, OTHER: -50, THIRD: -3})
    assert await budgets.load(7, 10) == {ONE: 120, OTHER: 0, THIRD: 0}


async def test_the_largest_amounts_come_first_when_there_are_too_many(catalogue: Catalogue) -> None:
    await catalogue.day_budgets.add(7, {ONE: 1, OTHER: 3, THIRD: 2})
    assert list((await catalogue.day_budgets.load(7, 2)).items()) == [(OTHER, 3), (THIRD, 2)]


async def test_what_was_used_on_earlier_days_is_forgotten(catalogue: Catalogue) -> None:
    await catalogue.day_budgets.add(7, {ONE: 1})
    await catalogue.day_budgets.add(8, {OTHER: 1})
    assert await catalogue.day_budgets.load(7, 10) == {}
    assert await catalogue.day_budgets.load(8, 10) == {OTHER: 1}
