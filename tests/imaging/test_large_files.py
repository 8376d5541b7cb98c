"""Files larger than a worker's memory: their size on disk is no reason to refuse a picture."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.config.model import MB
from appliance.domain.errors import UnreadableImage
from appliance.domain.renditions import Format, Preset, Priority, Target
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.procfs import children_of, read_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_READ_BYTES = 64 * MB
FILE_BYTES = 3_000 * MB  # sparse; an ordinary worker may use about a third of it as memory


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A photograph with a hole behind it, which decoders do not mind."""
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.write(pictures.photo(640, 480))
        file.truncate(FILE_BYTES)
    return path


KINDS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.photo(640, 480),
    "progressive jpeg": lambda: pictures.photo(640, 480, progressive=True),
    "png": lambda: pictures.png(640, 480),
    "interlaced png": lambda: pictures.interlaced_png(640, 480),
    "gif": lambda: pictures.animated("gif"),
    "webp": lambda: pictures.animated("webp"),
    "tiff": pictures.tiff,
    "avif": pictures.avif,
    "heic": pictures.heic,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_inspecting_a_giant_reads_next_to_nothing_of_it(workers: Workers, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "giant"
    with path.open("wb") as file:
        file.write(KINDS[kind]())
        file.truncate(FILE_BYTES)
    processes, deaths = children_of(os.getpid()), workers.deaths
    before = sum(map(read_bytes, processes))
    with path.open("rb") as file:
        try:
            facts = await workers.inspect(file.fileno())
        except UnreadableImage:
            assert kind == "webp"  # a RIFF container says how long it is, and this one lies
        else:
            assert facts.width > 0
    assert workers.deaths == deaths, "it took a worker's life"
    assert sum(map(read_bytes, processes)) - before < MOST_READ_BYTES


async def test_a_file_larger_than_the_memory_limit_is_inspected_and_resized(workers: Workers, large_file: Path) -> None:
    target = Target(Preset("thumbnail", 256), Format.JPG)
    with large_file.open("rb") as file:
        facts = await workers.inspect(file.fileno())
        async with workers.lease(facts, Priority.VIEW) as worker:
            [made] = await worker.render(file.fileno(), facts, [target])
    assert (facts.width, facts.height, facts.refusal) == (640, 480, None)
    assert (made.width, made.height) == (256, 192)
