"""Bodies that nobody wants: when dropping one ends, and how much is dropped in one turn of the event loop."""

import asyncio
import fcntl
import socket
import struct
import termios
from asyncio.trsock import TransportSocket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest

from appliance.http.transport import dropped_bodies
from appliance.http.transport.dropped_bodies import MAX_READS_PER_TURN, DroppedBodies
from tests.support.waiting import until

LONG_S = 60.0


Pair = tuple[socket.socket, socket.socket]


@contextmanager
def connected() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            server.setblocking(False)
            yield client, server


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A TCP connection: the client's end, and the server's, which doesn't block."""
    with connected() as found:
        yield found


@pytest.fixture
def many() -> Iterator[list[Pair]]:
    """More of them than are read in one turn."""
    with ExitStack() as opened:
        yield [opened.enter_context(connected()) for _ in range(3 * MAX_READS_PER_TURN)]


def dropping(server: socket.socket, left_bytes: int | None, within_s: float = LONG_S) -> asyncio.Task[None]:
    return asyncio.create_task(DroppedBodies().drop(TransportSocket(server), left_bytes, within_s=within_s))


def waiting_bytes(server: socket.socket) -> int:
    """How much has come and has not been received."""
    return int(struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, bytes(4)))[0])


async def test_it_ends_with_the_last_byte(pair: Pair) -> None:
    client, server = pair
    task = dropping(server, 300_000)
    await asyncio.to_thread(client.sendall, bytes(299_999))
    await until(lambda: waiting_bytes(server) == 0)
    assert not task.done()
    client.sendall(b"x")
    await asyncio.wait_for(task, LONG_S)


@pytest.mark.parametrize("is_reset", [True, False])
async def test_it_ends_when_the_client_has_gone(pair: Pair, is_reset: bool) -> None:
    client, server = pair
    task = dropping(server, None)
    client.sendall(b"x")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", is_reset, 0))
    client.close()
    await asyncio.wait_for(task, LONG_S)


async def test_it_ends_in_time_however_long_the_client_stays(pair: Pair) -> None:
    await asyncio.wait_for(dropping(pair[1], None, within_s=0.01), LONG_S)


async def test_only_so_many_bodies_are_dropped_at_once(pair: Pair) -> None:
    """Each takes a descriptor: connections alone may have half of the open files."""
    client, server = pair
    bodies = DroppedBodies(max_bodies=1)
    tasks = [
        asyncio.create_task(bodies.drop(TransportSocket(server), left_bytes, within_s=LONG_S)) for left_bytes in (2, 1)
    ]
    for sent in (b"x", b"x"):
        client.sendall(sent)
        await until(lambda: waiting_bytes(server) == 0)
    await asyncio.wait_for(tasks[0], LONG_S)
    assert not tasks[1].done()
    client.sendall(b"x")
    await asyncio.wait_for(tasks[1], LONG_S)


async def test_very_much_is_dropped_slowly(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropped_bodies, "DROPPED_AT_ONCE", -1)
    monkeypatch.setattr(dropped_bodies, "SLOW_BYTES", 10)
    monkeypatch.setattr(dropped_bodies, "PAUSE_S", 2 * LONG_S)
    client, server = pair
    client.sendall(bytes(100))
    task = dropping(server, None)
    await until(lambda: waiting_bytes(server) == 90)
    for _ in range(5):
        await asyncio.sleep(0)
    assert waiting_bytes(server) == 90
    task.cancel()


async def test_a_few_are_read_in_each_turn(many: list[Pair]) -> None:
    """What has come first is dropped first, and what waits for its turn isn't looked at again."""
    for client, _ in many:
        client.sendall(b"x")
    bodies = DroppedBodies()
    tasks = [asyncio.create_task(bodies.drop(TransportSocket(server), None, within_s=LONG_S)) for _, server in many]
    left = [len(many)]
    while left[-1]:
        await asyncio.sleep(0)
        left.append(sum(waiting_bytes(server) > 0 for _, server in many))
    read = [before - after for before, after in pairwise(left)]
    assert max(read) == MAX_READS_PER_TURN
    for task in tasks:
        task.cancel()


async def test_who_goes_while_it_waits_for_its_turn_is_left_out(many: list[Pair]) -> None:
    for client, _ in many:
        client.sendall(b"x")
    bodies = DroppedBodies()
    tasks = [asyncio.create_task(bodies.drop(TransportSocket(server), None, within_s=LONG_S)) for _, server in many]
    for _ in range(100):  # as many turns as the first reads take, and no more
        if any(waiting_bytes(server) == 0 for _, server in many):
            break
        await asyncio.sleep(0)
    waiting = [place for place, (_, server) in enumerate(many) if waiting_bytes(server)]
    for place in waiting:
        tasks[place].cancel()
    await asyncio.wait([tasks[place] for place in waiting])
    assert all(waiting_bytes(many[place][1]) for place in waiting)
    client, _ = many[next(place for place in range(len(many)) if place not in waiting)]
    client.close()
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
