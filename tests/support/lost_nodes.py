"""Nodes that are killed with -9 and lose their disks, while people's upload programs send to those that are left."""

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.nodes import let_fall_silent, node_process
from tests.support.relay import Relay
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import Server
from tests.support.upload_programs import Brought, brought
from tests.support.waiting import until

SEGMENT_BYTES = 250_000
PAUSE_S = 0.01  # for 64 KB
TURN_S = 0.05
"""How long new connections go to the same node."""


@dataclass
class Farm:
    """The nodes of one host below `folder`, by name."""

    folder: Path
    database: str
    minio: Server
    bucket: str
    choose: random.Random
    nodes: dict[str, ServerProcess] = field(default_factory=dict)
    lost: int = 0

    async def start(self, *names: str) -> None:
        """Start nodes whose data directories are new."""
        for name in names:
            store = on_minio(
                self.minio, APPLIANCE_STORE_BUCKET=self.bucket, APPLIANCE_NODE_SEGMENT_BYTES=str(SEGMENT_BYTES)
            )
            self.nodes[name] = node_process(self.folder, name, self.database, **store)
            self.nodes[name].launch()
        for name in names:
            await self.nodes[name].ready()

    async def lose_one(self) -> None:
        """Kill a node, throw its disk away, let its silence be noticed, and replace it."""
        name = self.choose.choice(sorted(self.nodes))
        lost = self.nodes.pop(name)
        lost.kill()
        shutil.rmtree(lost.data_dir)
        let_fall_silent(self.database, name)
        self.lost += 1
        await self.start(name)

    def words(self) -> str:
        """What all nodes wrote to their logs."""
        return "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("*.log")))

    def abandon(self) -> None:
        """Leave nothing running."""
        for node in self.nodes.values():
            node.abandon()


@contextlib.asynccontextmanager
async def farm(  # noqa: PLR0917 - what it takes
    folder: Path, database: str, minio: Server, bucket: str, nodes: int, seed: int
) -> AsyncIterator[Farm]:
    """A farm of so many nodes, gone at the end."""
    made = Farm(folder, database, minio, bucket, random.Random(seed))
    try:
        await made.start(*(f"box-{number}" for number in range(1, nodes + 1)))
        yield made
    finally:
        made.abandon()


async def through_losses(farm: Farm, clients: Sequence[str], files: Sequence[Path], losses: int) -> list[Brought]:
    """Each client uploads its file through a front that sends it to any node, while nodes are lost in between."""
    relay = Relay(next(iter(farm.nodes.values())).port, seed=0, share=0.0, pause_s=PAUSE_S)
    between = sum(file.stat().st_size for file in files) / (losses + 1)
    async with relay.listening() as url, asyncio.TaskGroup() as group:
        turning = group.create_task(_take_turns(relay, farm))
        tasks = [group.create_task(brought(url, client, file)) for client, file in zip(clients, files, strict=True)]
        for _ in range(losses):
            goal = relay.passed_bytes + farm.choose.uniform(0.3, 1) * between
            await until(partial(_has_passed, relay, goal), f"byte {goal:.0f}")
            relay.flowing.clear()  # so that the uploads aren't over before the last node is lost
            await farm.lose_one()
            relay.flowing.set()
        await asyncio.wait(tasks)
        turning.cancel()
    return [task.result() for task in tasks]


def _has_passed(relay: Relay, goal: float) -> bool:
    return relay.passed_bytes >= goal


async def _take_turns(relay: Relay, farm: Farm) -> None:
    while True:
        relay.port = farm.choose.choice(list(farm.nodes.values())).port
        await asyncio.sleep(TURN_S)
