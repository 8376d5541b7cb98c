"""Adds images for ever and prints each number once it is acknowledged; the crash test runs and kills it."""

import asyncio
import sys
from pathlib import Path

from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from tests.support.rows import image


async def add_for_ever(path: Path, first: int) -> None:
    async with SqliteCatalogue(path) as catalogue:

        async def add_every_eighth(number: int) -> None:
            while True:
                await catalogue.images.add(image(number))
                print(number, flush=True)
                number += 8

        await asyncio.gather(*(add_every_eighth(first + lane) for lane in range(8)))


if __name__ == "__main__":
    asyncio.run(add_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
