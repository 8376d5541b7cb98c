"""A host that has too much to do refuses new sizes with a time to come back, and shows what it has as ever."""

import re

import pytest

from tests.integration.delivery.test_fairness import Held, get, held, host, is_warm, statuses, uploaded
from tests.support.host import Host, problem
from tests.support.waiting import until

__all__ = ["held", "host"]
MANY_S = 10.0


async def test_views_that_would_wait_for_too_long_are_refused_and_pages_and_finished_sizes_are_not(
    host: Host, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = await uploaded(host, 6)
    assert (await host.get(f"/i/{slugs[0]}/small.jpg")).status == 200
    held.hold()
    lane = host.appliance.workers.queues["normal"]
    begun = [get(host, f"/i/{slug}/small.jpg", "203.0.113.1") for slug in slugs[1:4]]
    await until(lambda: lane.waiting == 2 and is_warm(lane))
    begun.append(get(host, f"/i/{slugs[4]}/small.jpg", "203.0.113.3"))  # it gets the spare worker
    await until(lambda: lane.busy == 2)
    monkeypatch.setattr(lane, "_mean_s", MANY_S)  # as if jobs took as long as this

    refused = await host.get(f"/i/{slugs[5]}/small.jpg", X_Forwarded_For="203.0.113.2")
    body = await problem(refused, "busy")
    assert body["detail"].endswith("than this host can answer in 4 seconds. Try again in a moment.")
    assert re.fullmatch(r"\d+", refused.headers["Retry-After"])
    assert host.counted("shed_views_total") == 1
    for path in (f"/i/{slugs[0]}/small.jpg", f"/i/{slugs[0]}", f"/i/{slugs[5]}"):
        assert (await host.get(path, X_Forwarded_For="203.0.113.2")).status == 200, path

    held.let_go()
    assert await statuses(begun) == [200, 200, 200, 200]
    assert await statuses([get(host, f"/i/{slugs[5]}/small.jpg", "203.0.113.2")]) == [200]
