"""The budget of processor seconds: who has views made pays for them, and what is made is always served."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from appliance.config.model import Renditions, Server
from appliance.limits import ProcessorBudget
from tests.support.albums import made, uploaded
from tests.support.host import Host, OpenHost, problem
from tests.support.images import pictures
from tests.support.limits import only
from tests.support.waiting import until

OpenLimited = Callable[..., Awaitable[Host]]
ONE, NEIGHBOUR, OTHER = "192.0.2.1", "192.0.2.2", "198.51.100.1"
QUOTA_S = 10
"""Of `address_processor_s=1`: ten minutes' worth can be saved up."""


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a worker or a zip file takes, each client pays a second more than the whole quota for it."""
    charge, charge_zip = ProcessorBudget.charge, ProcessorBudget.charge_zip

    def charged(budget: ProcessorBudget, clients: Iterable[str], seconds: float) -> None:
        assert seconds > 0
        names = tuple(clients)
        charge(budget, names, (QUOTA_S + 1.0) * len(names))

    def zip_charged(budget: ProcessorBudget, client: str, count: int) -> None:
        charge_zip(budget, client, count * 10**9)

    monkeypatch.setattr(ProcessorBudget, "charge", charged)
    monkeypatch.setattr(ProcessorBudget, "charge_zip", zip_charged)


async def ask(host: Host, path: str, client: str = ONE) -> int:
    return (await host.get(path, X_Forwarded_For=client)).status


@pytest.mark.usefixtures("costly")
async def test_a_client_in_debt_gets_what_is_made_but_nothing_new(open_limited: OpenLimited, jpeg: bytes) -> None:
    host = await open_limited(address_processor_s=1)
    slug = (await host.upload(jpeg))["slug"]
    assert await ask(host, f"/i/{slug}/small.jpg") == 200
    refused = await host.get(f"/i/{slug}/thumbnail.jpg", X_Forwarded_For=ONE)
    body = await problem(refused, "rate-limited")
    assert (body["policy"], body["limit"]) == ("address-processor-s", QUOTA_S)
    assert refused.headers["RateLimit-Policy"] == '"address-processor-s";q=10;w=600;qu="processor-seconds"'
    assert await ask(host, f"/i/{slug}/small.jpg") == 200
    assert await ask(host, f"/i/{slug}/thumbnail.jpg", NEIGHBOUR) == 200
    host.clock.forward(int(refused.headers["Retry-After"]))
    assert await ask(host, f"/i/{slug}/medium.jpg") == 200


@pytest.mark.usefixtures("costly")
async def test_a_scan_of_zoom_tiles_slows_the_scanner_alone(open_limited: OpenLimited) -> None:
    host = await open_limited(address_processor_s=1, prefix_processor_s=3)
    slug = (await host.upload(pictures.png(1600, 1200)))["slug"]
    tiles = [f"/iiif/3/{slug}/{x},0,100,100/100,100/0/default.jpg" for x in range(0, 1500, 100)]
    scanned = [await ask(host, tile) for tile in tiles]
    assert scanned == [200, *[429] * (len(tiles) - 1)]
    hopping = [await ask(host, tile, f"192.0.2.{number}") for number, tile in enumerate(tiles[1:], start=10)]
    assert hopping.count(200) == 2  # the network's quota is three times an address's, and one address used some
    assert await ask(host, tiles[-1], OTHER) == 200
    assert await ask(host, f"/iiif/3/{slug}/info.json") == 200


@pytest.mark.usefixtures("costly")
async def test_details_are_read_with_the_budget(open_limited: OpenLimited) -> None:
    host = await open_limited(address_processor_s=1)
    slugs = [(await host.upload(pictures.photo(seed=seed)))["slug"] for seed in range(2)]
    known, other = (f"/api/v1/images/{slug}/details" for slug in slugs)
    assert [await ask(host, known), await ask(host, other)] == [200, 429]
    assert await ask(host, known) == 200
    assert await ask(host, f"/i/{slugs[1]}/details") == 429
    assert await ask(host, other, OTHER) == 200


@pytest.mark.usefixtures("costly")
async def test_zip_files_are_made_in_turn_with_the_budget(open_limited: OpenLimited) -> None:
    host = await open_limited(address_processor_s=1)
    album = (await made(host, await uploaded(host, 2)))["slug"]
    assert [await ask(host, f"/a/{album}/zip") for _ in range(3)] == [200, 429, 429]
    assert await ask(host, f"/a/{album}/zip", OTHER) == 200


@pytest.mark.usefixtures("costly")
async def test_zip_files_that_are_made_at_once_are_paid_for_by_the_next_one(open_limited: OpenLimited) -> None:
    host = await open_limited(address_processor_s=1)
    album = (await made(host, await uploaded(host, 2)))["slug"]
    await asyncio.gather(*(ask(host, f"/a/{album}/zip") for _ in range(4)))
    assert await ask(host, f"/a/{album}/zip") == 429
    assert await ask(host, f"/a/{album}/zip", OTHER) == 200


@pytest.mark.usefixtures("costly")
async def test_the_sizes_that_belong_to_an_upload_are_not_charged(open_host: OpenHost, jpeg: bytes) -> None:
    prewarming = Renditions(workers=1, prewarm=("small",))
    host = await open_host(
        limits=only(address_processor_s=1), server=Server(trusted_proxies=("127.0.0.1",)), renditions=prewarming
    )
    response = await host.client.post("/api/v1/images", data=jpeg, headers={"X-Forwarded-For": ONE})
    slug = (await response.json())["slug"]
    await until(lambda: host.counted("renditions_total", preset="small", format="jpg") == 1)
    assert await ask(host, f"/i/{slug}/thumbnail.jpg") == 200


async def test_those_who_wait_for_the_same_work_share_its_cost(open_limited: OpenLimited) -> None:
    host = await open_limited(address_processor_s=1)
    budget = host.appliance.limits.processor
    budget.charge((ONE, OTHER), 2 * QUOTA_S)
    assert not budget.is_spent(ONE)
    budget.charge((ONE,), 1)
    assert budget.is_spent(ONE)
    assert not budget.is_spent(OTHER)
