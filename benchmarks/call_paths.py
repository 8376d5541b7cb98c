"""How many files and calls of the package do an upload, a cold view and an expiry go through?

The whole application runs in this process, as in the tests, without its background jobs; the expiry runs the two that
it needs. What workers do in their own processes isn't counted. Each path runs once before it is counted, so that
work done once a process doesn't count either. `--list` also prints the files in the order of their first call.
"""

import argparse
import ast
import asyncio
import dis
import functools
import logging
import statistics
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType

from appliance.lifecycle.expiry import GRACE_S
from benchmarks.harness import ROOT, format_table, report
from tests.support.host import DAY_S, Host, ManualClock, running, small_config
from tests.support.images.pictures import photo

PACKAGE = ROOT / "appliance"
ROUNDS = 5
REST_S = 0.3  # for what the step before has left to do
EXPIRES_S = DAY_S
_PARTS_OF_FUNCTIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<module>"})
QUESTION = (
    "How many files and calls of the package does an image go through in the server's process? Its upload (1 MB) from\n"
    "the first byte to the 201, its first view as small.jpg, and its expiry from the due row to the erased bytes;\n"
    f"median (range) of {ROUNDS} rounds."
)


@dataclass(frozen=True, slots=True)
class PathCount:
    """What one walk of a path went through; the files in the order of their first call."""

    files: list[str]
    functions: int
    calls: int


@dataclass(slots=True)
class CallTrace:
    """Calls of functions from files below `folder`, as (file, function), in their order and on every thread."""

    folder: Path
    calls: list[tuple[str, str]] = field(default_factory=list)
    _counts: bool = False

    @property
    def files(self) -> list[str]:
        """Each file once, in the order of the first calls."""
        return list(dict.fromkeys(file for file, _ in self.calls))

    @property
    def functions(self) -> int:
        return len(set(self.calls))

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Forget what was counted before, and count until the end of the block."""
        self.calls.clear()
        self._counts = True
        try:
            yield
        finally:
            self._counts = False

    def see(self, frame: FrameType, event: str, _argument: object) -> None:
        """A profile function (see `sys.setprofile`), which also hears of coroutines that are resumed."""
        code = frame.f_code
        if not self._counts or event != "call" or code.co_name in _PARTS_OF_FUNCTIONS:
            return
        file = Path(code.co_filename)
        if file.is_relative_to(self.folder) and frame.f_lasti == _first_instruction(code):
            self.calls.append((str(file.relative_to(self.folder)), code.co_qualname))


@functools.cache
def _first_instruction(code: CodeType) -> int:
    """Where a frame stands that was only now entered."""
    return next(one.offset for one in dis.get_instructions(code) if one.opname == "RESUME")


@contextmanager
def trace_calls(folder: Path) -> Iterator[CallTrace]:
    """A trace of this thread, and of threads that are started meanwhile."""
    trace = CallTrace(folder)
    threading.setprofile(trace.see)
    sys.setprofile(trace.see)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


# --- the paths ----------------------------------------------------------------------------------------------------


async def upload(host: Host, data: bytes) -> str:
    """By raw POST; the image's slug."""
    query = f"filename=photo.jpg&expires_in={EXPIRES_S}"
    async with host.client.post(f"/api/v1/images?{query}", data=data) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["slug"])


async def view(host: Host, slug: str) -> None:
    async with host.client.get(f"/i/{slug}/small.jpg") as response:
        assert response.status == 200, await response.text()
        await response.read()


async def expire(host: Host) -> None:
    """Both jobs, and between them the time in which an expired image can still be brought back."""
    assert await host.appliance.image_lifecycle.end(clock_confirmed=True) == 1
    host.clock.forward(GRACE_S + 1)
    assert await host.appliance.image_lifecycle.erase() == 1


async def walk(host: Host, trace: CallTrace, number: int) -> dict[str, PathCount]:
    """One image from its upload to its end."""
    counts: dict[str, PathCount] = {}

    @asynccontextmanager
    async def path(name: str) -> AsyncIterator[None]:
        await asyncio.sleep(REST_S)
        with trace.counting():
            yield
        counts[name] = PathCount(trace.files, trace.functions, len(trace.calls))

    data = photo(2100, 1650, seed=number, quality=88)
    async with path("upload"):
        slug = await upload(host, data)
    async with path("cold view"):
        await view(host, slug)
    host.clock.forward(EXPIRES_S + 1)
    async with path("expiry"):
        await expire(host)
    return counts


async def walks() -> list[dict[str, PathCount]]:
    with tempfile.TemporaryDirectory() as folder, trace_calls(PACKAGE) as trace:
        async with running(small_config(Path(folder) / "data"), ManualClock()) as host:
            await walk(host, trace, ROUNDS)
            return [await walk(host, trace, number) for number in range(ROUNDS)]


# --- the source ---------------------------------------------------------------------------------------------------


def count_lines(package: Path) -> int:
    """KeptConnections of Python, as `wc -l` counts them."""
    return sum(path.read_bytes().count(b"\n") for path in package.rglob("*.py"))


def find_loose_modules(package: Path) -> list[str]:
    """The modules that lie in no folder of the package."""
    return sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")


def find_shared_class_names(package: Path) -> Mapping[str, Sequence[str]]:
    """The names of classes that several modules define, private ones included, with those modules."""
    places: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        names = {node.name for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ClassDef)}
        for name in names:
            places.setdefault(name, []).append(str(path.relative_to(package)))
    return {name: modules for name, modules in sorted(places.items()) if len(modules) > 1}


# --- the table ----------------------------------------------------------------------------------------------------


def format_spread(counts: Sequence[int]) -> str:
    return f"{statistics.median(counts):.0f} ({min(counts)}-{max(counts)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="also print the files, and the classes of one name")
    said = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = asyncio.run(walks())
    rows = [
        (
            name,
            format_spread([len(one[name].files) for one in found]),
            format_spread([one[name].functions for one in found]),
            format_spread([one[name].calls for one in found]),
        )
        for name in found[0]
    ]
    shared, loose = find_shared_class_names(PACKAGE), find_loose_modules(PACKAGE)
    source = [
        ("lines of Python", f"{count_lines(PACKAGE):,}"),
        ("modules in no folder", str(len(loose))),
        ("class names in several modules", f"{len(shared)}, of which public {sum(name[0] != '_' for name in shared)}"),
    ]
    more = ["", *format_table(("of the package", "count"), source)]
    report("call_paths", QUESTION, ("path", "files", "functions", "calls"), rows, more)
    if said.list:
        for name, count in found[-1].items():
            print(f"\n{name}:", *count.files, sep="\n  ")
        print("\nmodules in no folder:", ", ".join(loose))
        print("\nclasses of one name:", *(f"{name}: {', '.join(where)}" for name, where in shared.items()), sep="\n  ")


if __name__ == "__main__":
    main()
