"""Whatever is thrown at an address, the event loop's work for it grows as the bytes do, and nothing of it is a fault.

Every route of the application is taken from its router, so a new one is thrown at too. No two throws are the same, for
aiohttp keeps what it parsed: a second one would cost nothing.
"""

import asyncio
import io
import itertools
import logging
import random
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import pytest_asyncio

from appliance.http.routes import application
from appliance.observability.logs import MAX_BYTES, JsonLines
from tests.support.growth import FLOOR_S, LARGE_BYTES, RUNS, SLACK, SMALL_BYTES, loop_s
from tests.support.host import Host
from tests.support.images import pictures

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings("ignore::RuntimeWarning")]

UNITS = ("token", "\n", "a?b", "; ", "%0A", '"', "é", "--x", "[", "a=1&", "\x00", "place-a=1&")
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="title"%b\r\n\r\n%b\r\n'
BODIES = {
    "before the first boundary": (MULTIPART, b"%b\r\n--x--\r\n"),
    "in a part": (MULTIPART, PART.replace(b"%b", b"", 1) + b"--x--\r\n"),
    "behind a boundary": (MULTIPART, PART.replace(b"%b", b"") + b"--x%b\r\n"),
    "in a part's head": (MULTIPART, PART.replace(b"%b", b"; a=%b", 1).replace(b"%b\r\n", b"\r\n")),
    "as a file": (MULTIPART, PART.replace(b"title", b"file").replace(b"%b", b'; filename="a.jpg"', 1) + b"--x--\r\n"),
    "as a form": ("application/x-www-form-urlencoded", b"token=a&%b"),
    "as JSON": ("application/json", b"%b"),
    "as JSON text": ("application/json", b'{"title": "%b", "images": ["%b"]}'),
    "as bytes": ("application/octet-stream", b"%b"),
    "as a resumable upload": ("application/offset+octet-stream", b"%b"),
}
TINY_PARTS = {"empty": PART % (b"", b""), "typed": PART % (b"\r\nContent-Type: a/b;c=d", b"a"), "files": b""}
TINY_PARTS["files"] = PART % (b"; filename=a", b"a")
HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers", "Authorization",
    "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Expect", "Forwarded", "Host", "Idempotency-Key",
    "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Origin", "Range", "Referer",
    "Transfer-Encoding", "Tus-Resumable", "Upgrade", "Upload-Checksum", "Upload-Concat", "Upload-Defer-Length",
    "Upload-Length", "Upload-Metadata", "Upload-Offset", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host",
    "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Request-ID",
)  # fmt: skip
"""All that aiohttp or a handler looks into, and some more."""
BEGINNINGS = {
    "Authorization": ("", "Bearer "),
    "Content-Type": ("", "m/f;", MULTIPART + "; "),
    "Range": ("bytes=",),
    "Upload-Concat": ("", "final;"),
}
IN_HEADERS = ("token", "; ", ";", ",", '"', '"";', "a=b;", "=", "%", "(", "\\", "a*")
OF_EACH_KIND = (
    ("GET", "/"), ("GET", "/i/{slug}/{preset}.{extension}"), ("PATCH", "/api/v1/images/{slug}"), ("POST", "/"),
    ("POST", "/a"), ("POST", "/api/1/upload"), ("POST", "/api/v1/uploads"), ("PATCH", "/api/v1/uploads/{id}"),
    ("PUT", "/{filename}"),
)  # fmt: skip
"""Routes whose headers are looked at: what parses a header is the same everywhere."""
_numbers = itertools.count(1)
LINE_BYTES = (512, 8000)  # aiohttp takes 8,190 of an address or a header
LINES = (7, 112)  # and 128 headers
MOST_TURNS = 4_000_000
"""Of an empty loop, for a request: a tenth of a second today. Line by line, a megabyte takes ten times that."""


def routes() -> list[tuple[str, str]]:
    """Method and address of every route."""
    found = [(route.method, route.resource) for route in application().router.routes()]
    return sorted({(method, resource.canonical) for method, resource in found if resource is not None})


@dataclass(frozen=True)
class Throw:
    """A request that can be made with few or with many bytes; `ratio` times as many."""

    what: str
    few: Callable[[], bytes]
    many: Callable[[], bytes]
    ratio: float


class Target:
    """The host as somebody sees it who throws bytes at it, with the work that its loop's thread does."""

    def __init__(self, host: Host, slug: str) -> None:
        self._host = host
        self._turn_s = loop_s() / 100_000
        self.slug = slug

    def path(self, canonical: str, filling: str = "a") -> str:
        known = canonical.replace("{slug}", self.slug).replace("{image}", self.slug)
        return re.sub(r"\{\w+\}", lambda _: filling, known)

    async def check(self, throw: Throw) -> None:
        few_s = many_s = 0.0
        for run in range(RUNS):
            few_s = max(few_s, await self.cost_s(throw.few()))  # what it may cost at most
            spent_s = await self.cost_s(throw.many())
            many_s = spent_s if run == 0 else min(many_s, spent_s)
            most_s = self._turn_s * MOST_TURNS
            if many_s <= min(few_s * throw.ratio * SLACK + FLOOR_S, most_s):
                return
        pytest.fail(
            f"{throw.what}: {many_s:.3f} s of the loop, {few_s:.3f} s for {throw.ratio:.0f} times fewer bytes, "
            f"and at most {most_s:.3f} s for any"
        )

    async def cost_s(self, request: bytes) -> float:
        """Of the loop, for a request that is no fault."""
        number = next(_numbers) % 60_000  # another client each time, for one that sends wrong tokens has to wait
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        reader, writer = await asyncio.open_connection("127.0.0.1", self._host.port, local_addr=(address, 0))
        began_s = time.thread_time()
        try:
            writer.write(request)
            async with asyncio.timeout(60):
                status = (await reader.readline()).split()
                await reader.read()
            assert not status or status[1] not in (b"500", b"502"), (status, request[:300])
        except ConnectionError:
            pass  # refused before it was read to its end
        finally:
            spent_s = time.thread_time() - began_s
            writer.transport.abort()
        return spent_s


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def target(shared: Host) -> Target:
    return Target(shared, (await shared.upload(pictures.photo(64, 48)))["slug"])


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[str]]:
    """Log lines, written as the server writes them."""
    stream, root, area = io.StringIO(), logging.getLogger(), logging.getLogger("appliance")
    handler, level = logging.StreamHandler(stream), area.level
    handler.setFormatter(JsonLines())
    root.addHandler(handler)
    area.setLevel("DEBUG")
    yield (written := [])
    root.removeHandler(handler)
    area.setLevel(level)
    written += stream.getvalue().splitlines()
    for line in written:
        assert len(line.encode()) < 3 * MAX_BYTES + 200, line[:300]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    told = {"Host": "x", "Connection": "close", "Tus-Resumable": "1.0.0"} | (
        {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}
    )
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in (told | headers).items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def pair(what: str, make: Callable[[int], bytes], sizes: tuple[int, int] = (SMALL_BYTES, LARGE_BYTES)) -> Throw:
    return Throw(what, lambda: make(sizes[0]), lambda: make(sizes[1]), sizes[1] / sizes[0])


def repeated(unit: str, size: int) -> str:
    """Units around a number that is in no other text, so that no cache holds it."""
    half = unit * (size // len(unit.encode()) // 2)
    return f"{half}{next(_numbers):06d}{half}"


def bomb(encoding: str, size: int) -> bytes:
    """So many bytes that unpack to a thousand times as many, without their end."""
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    start = b"\x1f\x8b\x08" + bytes(6) + b"\xff" if encoding == "gzip" else b"\x78\x9c"
    return start + block * (size // len(block))


def bodies(target: Target, method: str, canonical: str) -> Iterator[Throw]:
    path, chance = target.path(canonical), random.Random(canonical)
    for shape, (media_type, frame) in BODIES.items():
        for unit in ("token", "\n", *chance.sample(UNITS[2:], 2)):

            def make(size: int, frame: bytes = frame, unit: str = unit, media_type: str = media_type) -> bytes:
                body = frame.replace(b"%b", repeated(unit, size).encode())
                return request(method, path, body, Content_Type=media_type, Upload_Offset="0", Upload_Length="9999999")

            yield pair(f"{method} {canonical} {shape} of {unit!r}", make)

    def noise(size: int) -> bytes:
        return request(method, path, chance.randbytes(size), Content_Type=MULTIPART)

    yield pair(f"{method} {canonical} noise", noise)


def heads(target: Target, method: str, canonical: str) -> Iterator[Throw]:
    chance = random.Random(method + canonical)
    for unit in ("token", *chance.sample(UNITS[1:], 3)):

        def path(size: int, unit: str = unit) -> bytes:
            return request(
                method, target.path(canonical, repeated(quote(unit, safe=""), size)) + "/", Accept="text/html"
            )

        def query(size: int, unit: str = unit) -> bytes:
            return request(method, f"{target.path(canonical)}?url={repeated(quote(unit, safe='=&'), size)}")

        yield pair(f"{method} {canonical} a path of {unit!r}", path, LINE_BYTES)
        yield pair(f"{method} {canonical} a query of {unit!r}", query, LINE_BYTES)


def headers(target: Target, method: str, canonical: str) -> Iterator[Callable[[int], bytes]]:
    """Requests with each header of each unit, however many bytes it may have."""
    path = target.path(canonical)
    for name, unit in itertools.product(HEADERS, IN_HEADERS):
        for start in BEGINNINGS.get(name, ("",)):

            def header(size: int, name: str = name, unit: str = unit, start: str = start) -> bytes:
                value = start + (repeated(unit, size) if size > len(unit) else unit)
                return request(method, path, b"", **{name: value})

            header.__name__ = f"{name}: {start}{unit}"
            yield header


@pytest.mark.parametrize(("method", "canonical"), [each for each in routes() if each[0] in ("POST", "PUT", "PATCH")])
async def test_the_loop_works_for_a_body_as_long_as_it_is(target: Target, method: str, canonical: str) -> None:
    for throw in bodies(target, method, canonical):
        await target.check(throw)


@pytest.mark.parametrize(("method", "canonical"), routes())
async def test_the_loop_works_for_a_head_as_long_as_it_is(target: Target, method: str, canonical: str) -> None:
    for throw in heads(target, method, canonical):
        await target.check(throw)


@pytest.mark.parametrize(("method", "canonical"), OF_EACH_KIND)
async def test_the_loop_works_for_a_header_as_long_as_it_is(target: Target, method: str, canonical: str) -> None:
    assert (method, canonical) in routes() or ("*", canonical) in routes()
    for header in headers(target, method, canonical):
        await target.cost_s(header(1))  # short enough for any bound
        await target.check(pair(f"{method} {canonical} {header.__name__}", header, LINE_BYTES))


@pytest.mark.parametrize(("method", "canonical"), [("GET", "/healthz"), *OF_EACH_KIND])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_no_body_costs_the_loop_what_it_unpacks_to(
    target: Target, method: str, canonical: str, encoding: str
) -> None:
    for media_type, _ in BODIES.values():

        def make(size: int, media_type: str = media_type) -> bytes:
            packed = bomb(encoding, size)
            return request(
                method,
                target.path(canonical),
                packed,
                Content_Type=media_type,
                Content_Encoding=encoding,
                Upload_Offset="0",
            )

        await target.check(pair(f"{method} {canonical} {encoding} as {media_type}", make))


@pytest.mark.parametrize(("method", "canonical"), [each for each in routes() if each[0] in ("POST", "PUT", "PATCH")])
@pytest.mark.parametrize("kind", TINY_PARTS)
async def test_a_form_costs_the_loop_little_however_many_its_parts(
    target: Target, method: str, canonical: str, kind: str
) -> None:
    def make(size: int) -> bytes:
        part = TINY_PARTS[kind]
        body = part * (size // len(part)) + b"--x--\r\n"
        return request(method, target.path(canonical), body, Content_Type=MULTIPART)

    await target.check(pair(f"{method} {canonical} {kind} parts", make, (4096, 65_000)))


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Accept", "Cookie", "Upload-Metadata"])
async def test_a_head_of_a_megabyte_costs_as_many_times_more(target: Target, name: str) -> None:
    def make(count: int) -> bytes:
        line = f"{name}: {repeated('127.0.0.1, ', 8000)}\r\n".encode()
        return request("GET", "/").replace(b"\r\n\r\n", b"\r\n" + line * count + b"\r\n")

    await target.check(pair(name, make, LINES))


async def test_a_method_of_many_letters_is_no_fault(target: Target) -> None:
    await target.check(pair("a method", lambda size: request("TOKEN" * (size // 5), "/"), LINE_BYTES))
