"""A front of several nodes, as a proxy is one: it tries another node where one doesn't accept a connection."""

import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.nodes import let_fall_silent
from tests.support.server_process import ServerProcess
from tests.support.waiting import until

LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError)
"""What a client sees of a node that is killed, or has gone."""


class Cut(Exception):
    """The node was killed during the request: only the client knows whether to repeat it."""


@dataclass(frozen=True)
class Reply:
    """A whole reply of a node."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    node: str

    def __str__(self) -> str:
        return f"{self.status} of {self.node}: {self.body[:300].decode(errors='replace')}"


@dataclass
class Front:
    """Sends each request to a node of its own choice. `killed` are the nodes that may break connections."""

    session: aiohttp.ClientSession
    nodes: Sequence[ServerProcess]
    choose: random.Random
    killed: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    kills: int = 0
    cut: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """How many requests each node is answering, by its URL."""

    async def send(self, method: str, path: str, *, on: ServerProcess | None = None, **parts: Any) -> Reply:
        """The reply of the node `on`, or of any. Raises Cut."""
        while True:
            node = on or self.choose.choice([one for one in self.nodes if one.url not in self.silent])
            self.asked[node.url] += 1
            try:
                async with self.session.request(method, node.url + path, allow_redirects=False, **parts) as reply:
                    return Reply(reply.status, dict(reply.headers), await reply.read(), node.data_dir.name)
            except aiohttp.ClientConnectorError as fault:
                self._note_lost(node, fault)
            except LOST as fault:
                self._note_lost(node, fault)
                self.cut += 1
                raise Cut from fault
            finally:
                self.asked[node.url] -= 1

    def _note_lost(self, node: ServerProcess, fault: Exception) -> None:
        if node.url not in self.killed:
            raise AssertionError(f"{node.data_dir.name} lost a connection though nobody killed it") from fault
        self.silent.add(node.url)

    async def kill_in_the_middle(self, node: ServerProcess) -> None:
        """kill -9 the node while it answers something. The front learns of it by the first connection that fails."""
        await until(lambda: self.asked[node.url] > 0, "a request that the node answers")
        self.killed.add(node.url)
        self.kills += 1
        node.kill()

    async def restart(self, node: ServerProcess, *, with_disk: bool = True) -> None:
        """Start the node again; it gets requests once it is ready, as a proxy that asks /readyz does.

        Without its disk it is a new machine of the same name, which the others have heard nothing of for a while.
        """
        self.silent.add(node.url)
        if not with_disk:
            shutil.rmtree(node.data_dir)
            node.data_dir.mkdir()
            let_fall_silent(node.environment["APPLIANCE_CATALOGUE_URL"], node.data_dir.name)
        await node.start()
        self.killed.discard(node.url)
        self.silent.discard(node.url)
