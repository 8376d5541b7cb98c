"""Files larger than a worker's memory: their size on disk is no reason to refuse a picture."""

from pathlib import Path

import pytest

from appliance.config import MB
from appliance.renditions import Format, Preset, Priority, Target
from appliance.workers import Workers
from tests import pictures

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILE_BYTES = 3_000 * MB  # sparse; an ordinary worker may use about a third of it as memory


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A photograph with a hole behind it, which decoders do not mind."""
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.write(pictures.photo(640, 480))
        file.truncate(FILE_BYTES)
    return path


async def test_a_file_larger_than_the_memory_limit_is_inspected_and_resized(workers: Workers, large_file: Path) -> None:
    target = Target(Preset("thumbnail", 256), Format.JPG)
    with large_file.open("rb") as file:
        facts = await workers.inspect(file.fileno())
        async with workers.queue(facts, Priority.VIEW) as worker:
            [made] = await worker.render(file.fileno(), facts, [target])
    assert (facts.width, facts.height, facts.refusal) == (640, 480, None)
    assert (made.width, made.height) == (256, 192)
