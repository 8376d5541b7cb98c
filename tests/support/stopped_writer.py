"""A program: the node box-1 adds one to a note, and waits in the middle of its turn until its input ends."""

import asyncio
import sys

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.notes import get_note, set_note
from appliance.catalogue.sql.outcome import Outcome

COUNT = "count"
IN_TURN = b"in its turn\n"


def increase(connection: Connection) -> Outcome[None]:
    count = int(get_note(connection, COUNT) or 0)
    sys.stdout.buffer.write(IN_TURN)
    sys.stdout.flush()
    sys.stdin.read()
    set_note(connection, COUNT, str(count + 1))
    return Outcome(None)


async def main(url: str) -> None:
    async with PostgresCatalogue(url, node="box-1") as catalogue:
        await catalogue.writer.run(increase)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
