"""What a flood writes into the access log: a bounded number of lines, and how many were left out."""

import logging
from collections.abc import Awaitable, Callable

import pytest

from appliance.http.log_budget import MAX_CLIENT_LINES, MAX_LINES, LogBudget
from tests.support.access import raw
from tests.support.host import Host, ManualClock

OpenLimited = Callable[..., Awaitable[Host]]
ONE, OTHER = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "198.51.100.1"))


def refused_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().endswith(" 400")]


async def refuse(host: Host, client: dict[str, str]) -> None:
    assert (await raw(host, b"x", client | {"Idempotency-Key": "short"})).status == 400


async def test_a_client_that_is_refused_on_and_on_fills_no_log(
    open_limited: OpenLimited, caplog: pytest.LogCaptureFixture
) -> None:
    host = await open_limited(address_requests=6000)
    caplog.set_level(logging.INFO, "appliance.access")
    for _ in range(MAX_CLIENT_LINES + 5):
        await refuse(host, ONE)
    assert len(refused_lines(caplog)) == MAX_CLIENT_LINES
    await refuse(host, OTHER)
    assert len(refused_lines(caplog)) == MAX_CLIENT_LINES + 1


def test_after_a_minute_a_line_says_how_many_were_left_out(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    budget = LogBudget(clock)
    assert [budget.has_room("192.0.2.1") for _ in range(MAX_CLIENT_LINES + 5)].count(False) == 5
    budget.settle()
    assert caplog.records == []
    clock.forward(60)
    budget.settle()
    (record,) = caplog.records
    assert (record.lines, record.clients) == (5, "192.0.2.1")  # type: ignore[attr-defined]
    assert budget.has_room("192.0.2.1")


def test_many_clients_together_have_a_budget_too() -> None:
    clock = ManualClock()
    budget = LogBudget(clock)
    clients = [f"192.0.2.{number}" for number in range(100)]
    assert sum(budget.has_room(client) for client in clients for _ in range(5)) == MAX_LINES
