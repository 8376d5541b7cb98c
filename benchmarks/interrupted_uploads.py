"""Do resumable uploads arrive whole when connections are cut at random bytes and the server is killed?"""

import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import report
from tests.support.images.noise import padded
from tests.support.relay import Relay
from tests.support.server_process import ServerProcess
from tests.support.tus_client import send_stubbornly
from tests.support.upload_programs import CLIENTS, Brought, through_an_ordeal

BYTES = 8_000_000
ROUNDS = 2
KILLS = 10
CROWD = 200
CROWD_BYTES = 1_000_000
SEED = 2026

QUESTION = (
    f"Do files come back whole? {ROUNDS} files of {BYTES // 10**6} MB by each client, all at once, two of three\n"
    f"connections cut at a random byte, and the server killed (SIGKILL) {KILLS} times meanwhile. Then {CROWD} uploads\n"
    "of 1 MB at once, a third of the connections cut. “resumed by hand”: how often a client had used up its own\n"
    "retries, where a person would press the button again."
)
HEADER = ("client", "files", "whole", "kills", "cuts", "resumed by hand", "seconds, median", "slowest")


Row = tuple[str, ...]


async def _by_clients(folder: Path) -> list[Row]:
    """Each client's row, and the one of all together."""
    clients = [client for client in CLIENTS for _ in range(ROUNDS)]
    files = [_file(folder / f"{number}.jpg", number) for number in range(len(clients))]
    served = ServerProcess(folder / "data", APPLIANCE_RENDITIONS_WORKERS="2")
    try:
        await served.start()
        ordeal = await through_an_ordeal(served, clients, files, kills=KILLS, seed=SEED)
        await served.stop()
    finally:
        served.abandon()
    outcomes = [
        (brought, brought.sha256 == _sha256(file.read_bytes()))
        for brought, file in zip(ordeal.brought, files, strict=True)
    ]
    rows = [
        _row(client, [one for one in outcomes if one[0].client == client], str(ordeal.kills), "") for client in CLIENTS
    ]
    return [*rows, _row("all of these", outcomes, str(ordeal.kills), str(ordeal.cuts))]


def _row(name: str, outcomes: Sequence[tuple[Brought, bool]], kills: str, cuts: str) -> Row:
    seconds = [brought.seconds for brought, _ in outcomes]
    return (
        name,
        str(len(outcomes)),
        str(sum(whole for _, whole in outcomes)),
        kills,
        cuts,
        str(sum(brought.again for brought, _ in outcomes)),
        f"{statistics.median(seconds):.1f}",
        f"{max(seconds):.1f}",
    )


def _file(path: Path, number: int) -> Path:
    path.write_bytes(padded(BYTES, number))
    return path


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _by_a_crowd(folder: Path) -> Row:
    sent = [padded(CROWD_BYTES + number, number) for number in range(CROWD)]
    served = ServerProcess(folder / "crowd")
    try:
        await served.start()
        relay, began_s = Relay(served.port, seed=SEED, most=CROWD_BYTES), time.monotonic()
        async with relay.listening() as url:
            states = await asyncio.gather(*(send_stubbornly(url, data, within_s=600) for data in sent))
        took_s = time.monotonic() - began_s
        await served.stop()
    finally:
        served.abandon()
    whole = sum(state["image"]["sha256"] == _sha256(data) for state, data in zip(states, sent, strict=True))
    return (f"{CROWD} at once", str(CROWD), str(whole), "0", str(relay.cut), "", "", f"{took_s:.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="appliance-survival-") as name:
        rows = [*asyncio.run(_by_clients(Path(name))), asyncio.run(_by_a_crowd(Path(name)))]
    report("interrupted_uploads", QUESTION, HEADER, rows)


if __name__ == "__main__":
    main()
