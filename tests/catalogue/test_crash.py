import asyncio
import random
import sys
from pathlib import Path

from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from tests.support.programs import ROOT
from tests.support.rows import image, slug


async def _killed_while_adding(path: Path, first: int, acknowledgements: int) -> set[int]:
    """The numbers that a process had acknowledged when it was killed with -9."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.catalogue_writer",
        str(path),
        str(first),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    read = [await process.stdout.readline() for _ in range(acknowledgements)]
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    return {int(line) for line in [*read, *rest.splitlines(keepends=True)] if line.endswith(b"\n")}


async def test_no_acknowledged_image_is_lost_when_the_process_is_killed(path: Path) -> None:
    moments = random.Random(7)
    acknowledged: set[int] = set()
    for killed in range(20):
        acknowledged |= await _killed_while_adding(path, killed * 100_000, moments.randrange(1, 120))
        async with SqliteCatalogue(path) as catalogue:
            assert await catalogue.images.known(map(slug, acknowledged)) == {slug(number) for number in acknowledged}
    async with SqliteCatalogue(path) as catalogue:
        assert await CatalogueFile(path).find_problems() == []
        last = max(acknowledged)
        assert await catalogue.images.get(slug(last)) == image(last)
    assert len(acknowledged) > 500
