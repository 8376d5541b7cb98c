"""Ranges of originals, as RFC 9110 (14) has them, from the spool and from the store."""

import pytest
import pytest_asyncio

from tests.support.host import Host, problem
from tests.support.images import pictures

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATA = pictures.photo(320, 240)
SIZE = len(DATA)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["spool", "store"])
async def path(shared: Host, request: pytest.FixtureRequest) -> str:
    slug = (await shared.upload(DATA))["slug"]
    if request.param == "store":
        await shared.appliance.spool.remove(slug)
    return f"/i/{slug}/original"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=0-", slice(0, None)),
        ("bytes=10-19", slice(10, 20)),
        ("bytes=500-", slice(500, None)),
        ("bytes=-1", slice(-1, None)),
        ("bytes=-500", slice(-500, None)),
        (f"bytes=-{SIZE + 5}", slice(0, None)),
        (f"bytes=5-{SIZE * 10}", slice(5, None)),
        (f"bytes=5-{10**30}", slice(5, None)),
        (f"bytes={SIZE - 1}-", slice(-1, None)),
        ("BYTES=1-2", slice(1, 3)),
        ("bytes= 1-2", slice(1, 3)),
    ],
)
async def test_a_range_gives_its_bytes(shared: Host, path: str, asked: str, part: slice) -> None:
    response = await shared.get(path, Range=asked)
    data = await response.read()
    assert (response.status, data) == (206, DATA[part])
    start, stop, _ = part.indices(SIZE)
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(len(data))
    assert response.headers["ETag"]


@pytest.mark.parametrize(
    "asked",
    ["bytes=2-1", "bytes=-", "bytes=", "bytes=a-b", "bytes=0-1,5-6", "lines=1-2", "bytes", "bytes=1", "bytes=٣-٤"],
)
async def test_what_is_no_single_range_gives_the_whole(shared: Host, path: str, asked: str) -> None:
    response = await shared.get(path, Range=asked)
    assert (response.status, await response.read()) == (200, DATA)
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in response.headers


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 7}-{SIZE + 9}", "bytes=-0", f"bytes={10**30}-"])
async def test_a_range_behind_the_end_says_where_the_end_is(shared: Host, path: str, asked: str) -> None:
    response = await shared.get(path, Range=asked)
    told = await problem(response, "range-not-satisfiable")
    assert told["limit"] == SIZE
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


async def test_if_range_gives_the_part_only_of_the_same_bytes(shared: Host, path: str) -> None:
    etag = (await shared.get(path)).headers["ETag"]
    assert (await shared.get(path, Range="bytes=0-9", If_Range=etag)).status == 206
    for outdated in ('"other"', f"W/{etag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        response = await shared.get(path, Range="bytes=0-9", If_Range=outdated)
        assert (response.status, await response.read()) == (200, DATA)


async def test_head_ignores_ranges(shared: Host, path: str) -> None:
    response = await shared.client.head(path, headers={"Range": "bytes=0-9"})
    assert (response.status, response.headers["Content-Length"]) == (200, str(SIZE))


async def test_who_has_it_already_gets_304_before_any_range(shared: Host, path: str) -> None:
    etag = (await shared.get(path)).headers["ETag"]
    assert (await shared.get(path, Range="bytes=0-9", If_None_Match=etag)).status == 304
