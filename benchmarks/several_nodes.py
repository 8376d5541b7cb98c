"""What do several nodes on one machine hold, and what does a request cost them, the database and the store?

`python -m benchmarks.several_nodes [--images N] [--rounds N]`. PostgreSQL and MinIO run on the same machine. Uploads go
to the nodes in turn, and the first view of each image to the next node, which has to get its original from the store;
one node alone has it. Everything shares the cores, so on a small machine the processor time of a request says more than
the rate.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from urllib.error import HTTPError

import aiohttp

from benchmarks.harness import RunningServer, children, cpu_s, distinct, free_port, report, server, spread
from benchmarks.load.closed_loop import fetch_all
from tests.support.images.pictures import camera_photo
from tests.support.postgres import new_schema, postgres_server
from tests.support.server_process import on_minio
from tests.support.servers import Server, minio_server

NODES = 3
AT_ONCE = 8
DELETIONS = 20
NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Work:
    """So many requests, the seconds that they took, and the processor seconds of nodes, database and store."""

    requests: int
    took_s: float
    cpu_s: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An image, and the place of the node to which it was uploaded."""

    slug: str
    token: str
    node: int


class Hosts:
    """Three nodes, their database and their store."""

    def __init__(self, nodes: Sequence[RunningServer], database: Server, store: Server) -> None:
        self.nodes = nodes
        self._database = database
        self._store = store
        self._photo = camera_photo()

    def cpu_s(self) -> tuple[float, float, float]:
        postgres, minio = self._database.pid, self._store.pid
        nodes_s = sum(node.cpu_s() for node in self.nodes)
        return nodes_s, cpu_s(postgres, *children(postgres)), cpu_s(minio)

    def measured(self, requests: int, work: Callable[[], object]) -> Work:
        before, began = self.cpu_s(), time.monotonic()
        work()
        took_s = time.monotonic() - began
        nodes, database, store = (now - then for now, then in zip(self.cpu_s(), before, strict=True))
        return Work(requests, took_s, (nodes, database, store))

    def upload(self, images: int, nodes: int) -> list[Uploaded]:
        """So many photographs, to so many of the nodes in turn."""

        def upload(number: int) -> Uploaded:
            place = number % nodes
            url = f"{self.nodes[place].url}/api/v1/images?filename=a.jpg"
            request = urllib.request.Request(url, data=distinct(self._photo, number), method="POST")
            with urllib.request.urlopen(request) as reply:
                image = json.load(reply)
            return Uploaded(image["slug"], image["delete_token"], place)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(upload, [next(NUMBERS) for _ in range(images)]))

    def first_views(self, images: Sequence[Uploaded], nodes: int) -> list[str]:
        """The address of each image's thumbnail on the node after that to which it was uploaded."""
        return [self.address(image, (image.node + 1) % nodes) for image in images]

    def address(self, image: Uploaded, node: int) -> str:
        return f"{self.nodes[node].url}/i/{image.slug}/thumbnail.jpg"

    def delete(self, image: Uploaded) -> None:
        url = f"{self.nodes[0].url}/api/v1/images/{image.slug}"
        headers = {"Authorization": f"Bearer {image.token}"}
        urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE")).close()


@contextmanager
def hosts() -> Iterator[Hosts]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-nodes-")))
        folder.chmod(0o755)  # PostgreSQL's user is another one
        database = stack.enter_context(postgres_server(folder, syncing=True))
        store = stack.enter_context(minio_server(folder / "minio"))
        shared = {name.removeprefix("APPLIANCE_"): value for name, value in on_minio(store).items()}
        shared |= {"CATALOGUE_URL": new_schema(database), "NODE_SECRET": "only the nodes of this benchmark know it"}
        shared |= {"LIMITS_MODE": "off", "RENDITIONS_PREWARM": ""}
        nodes = [
            stack.enter_context(
                server(None, NODE_NAME=f"box-{number}", NODE_LISTEN=f"127.0.0.1:{free_port()}", **shared)
            )
            for number in range(1, NODES + 1)
        ]
        yield Hosts(nodes, database, store)


def shown(what: str, nodes: int, works: Sequence[Work]) -> tuple[str, ...]:
    requests = sum(work.requests for work in works)
    of_nodes, database, store = (sum(work.cpu_s[part] for work in works) for part in range(3))
    each = [f"{1000 * seconds / requests:.2f}" for seconds in (of_nodes, database, store)]
    rate = statistics.median(work.requests / work.took_s for work in works)
    return what, str(nodes), f"{rate:.1f}", *each, f"{100 * database / (of_nodes + database + store):.0f} %"


def until_gone(on: Hosts) -> tuple[list[float], list[float]]:
    """Seconds of deletions at one node, and from their beginning until all nodes had answered 410, asked in turn."""
    deleted, gone = [], []
    for image in on.upload(DELETIONS, 1):
        addresses = [on.address(image, node) for node in range(NODES)]
        fetch_all(addresses, connections=1)
        began = time.perf_counter()
        on.delete(image)
        deleted.append(time.perf_counter() - began)
        statuses = [status_of(address) for address in addresses]
        gone.append(time.perf_counter() - began)
        if set(statuses) != {410}:
            raise SystemExit(f"{image.slug} was deleted, and is shown: {statuses}")
    return deleted, gone


def from_a_neighbour(on: Hosts, images: int) -> tuple[list[float], float]:
    """What it would cost a node to get a rendition that a neighbour has in memory: the seconds of each, and its CPU.

    The processor time is that of an aiohttp client as nodes have one, without what it does with the bytes.
    """
    addresses = on.first_views(on.upload(images, 1), 1)
    fetch_all(addresses, connections=AT_ONCE)

    async def ask() -> tuple[list[float], float]:
        each_s, began_s = [], time.process_time()
        async with aiohttp.ClientSession() as session:
            for address in addresses:
                began = time.perf_counter()
                async with session.get(address) as reply:
                    await reply.read()
                each_s.append(time.perf_counter() - began)
        return each_s, time.process_time() - began_s

    return asyncio.run(ask())


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address) as reply:
            return int(reply.status)
    except HTTPError as error:
        error.close()
        return error.code


def in_turn(on: Hosts, images: int, rounds: int) -> tuple[list[list[Work]], list[list[Work]]]:
    """Uploads, and the first views of what was uploaded, of one node, two and so on, each in every round."""
    uploads: list[list[Work]] = [[] for _ in range(NODES)]
    views: list[list[Work]] = [[] for _ in range(NODES)]
    for _ in range(rounds):
        for nodes in range(1, NODES + 1):
            uploaded: list[Uploaded] = []
            uploads[nodes - 1].append(on.measured(images, partial(_upload_into, uploaded, on, images, nodes)))
            urls = on.first_views(uploaded, nodes)
            views[nodes - 1].append(on.measured(images, partial(fetch_all, urls, connections=AT_ONCE)))
    return uploads, views


def _upload_into(uploaded: list[Uploaded], on: Hosts, images: int, nodes: int) -> None:
    uploaded += on.upload(images, nodes)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--images", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    with hosts() as on:
        on.upload(AT_ONCE, NODES)  # the first ones start the workers
        uploads, views = in_turn(on, asked.images, asked.rounds)
        deleted, gone = until_gone(on)
        alone = [fetch_all([url], connections=1).took_s for url in on.first_views(on.upload(DELETIONS, 2), 2)]
        neighbour, client_s = from_a_neighbour(on, DELETIONS)
    report(
        "several_nodes",
        f"What do nodes on one machine hold, with PostgreSQL and MinIO on it too? Photographs of 0.8 MB, {AT_ONCE} at\n"
        f"once, {asked.rounds} rounds of {asked.images}: the median rate, and milliseconds of processor a request",
        ("what", "nodes", "a second", "nodes, ms", "database, ms", "store, ms", "database's share"),
        [
            *(shown("upload", nodes, works) for nodes, works in enumerate(uploads, 1)),
            *(shown("first view, 256 px", nodes, works) for nodes, works in enumerate(views, 1)),
        ],
        [
            "",
            f"Milliseconds, one after the other, {DELETIONS} times, as the client sees them: median (5-95 %)",
            f"a deletion: {spread(deleted)}; from its beginning until all three nodes have said 410: {spread(gone)}",
            f"a first view at another node: {spread(alone)}; the same rendition from a node that has it: "
            f"{spread(neighbour)}, and {1000 * client_s / DELETIONS:.1f} of processor for the client",
        ],
    )


if __name__ == "__main__":
    main()
