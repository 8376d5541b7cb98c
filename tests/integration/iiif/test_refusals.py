"""What the IIIF Image API refuses, and in which words."""

import pytest

from tests.support.host import Host, problem
from tests.support.images import pictures

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def uploaded(host: Host) -> str:
    return f"/iiif/3/{(await host.upload(pictures.png(1600, 1200)))['slug']}"


@pytest.mark.parametrize(
    "path",
    [
        "0,0,0,0/max/0/default.jpg",
        "1600,0,10,10/max/0/default.jpg",
        "full/1601,/0/default.jpg",
        "full/pct:0.0001/0/default.jpg",
        "full/0,0/0/default.jpg",
        "full/max/45/default.jpg",
        "full/max/0/native.jpg",
        "full/max/0/default.tif",
        "9999999999,0,1,1/max/0/default.jpg",
        "full/99999999999999999999999,/0/default.jpg",
        "%00/max/0/default.jpg",
        "full/max/0/default",
        f"{'9' * 5000},0,1,1/max/0/default.jpg",
    ],
)
async def test_what_can_not_be_asked_for_is_told_as_such(shared: Host, path: str) -> None:
    base = await uploaded(shared)
    told = await problem(await shared.get(f"{base}/{path}"), "invalid-image-request")
    assert told["detail"]


@pytest.mark.parametrize(("format_", "limit"), [("gif", 1_562_500), ("png", 6_250_000), ("webp", 12_500_000)])
async def test_a_format_that_is_slow_to_write_shows_less_at_once(
    shared: Host, format_: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await shared.upload(pictures.png(4200, 3000)))["slug"]
    monkeypatch.delattr(shared.appliance.tiles.__class__, "open")  # it is refused before any work
    told = await problem(await shared.get(f"/iiif/3/{slug}/full/max/0/default.{format_}"), "invalid-image-request")
    assert (told["limit"], told["actual"]) == (limit, 12_600_000)
    assert format_.upper() in told["detail"]


@pytest.mark.parametrize("size", ["^max", "^1601,", "^pct:101", "^99999999,99999999"])
async def test_enlarging_is_not_done(shared: Host, size: str) -> None:
    await problem(await shared.get(f"{await uploaded(shared)}/full/{size}/0/default.jpg"), "unsupported-image-request")


async def test_unknown_images_and_addresses(shared: Host) -> None:
    for rest in ("", "/info.json", "/full/max/0/default.jpg"):
        await problem(await shared.get(f"/iiif/3/00000000000000000{rest}"), "not-found")
    for path in ("/iiif/3/a%2Fb/full/max/0/default.jpg", "/iiif/3/a/b/c", "/iiif/2/abc/info.json"):
        await problem(await shared.get(path, Accept="text/html"), "no-such-page")


async def test_scripts_from_anywhere_may_ask(shared: Host) -> None:
    reply = await shared.client.options(f"{await uploaded(shared)}/info.json", headers={"Origin": "https://a.example"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, "*")
