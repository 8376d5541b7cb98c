"""Bodies that nobody wants: when dropping one ends, and how much is dropped in one turn of the event loop."""

import asyncio
import fcntl
import socket
import struct
import termios
from asyncio.trsock import TransportSocket
from collections.abc import Iterator

import pytest

from appliance.http.transport import dropped_bodies
from appliance.http.transport.dropped_bodies import MAX_READS_PER_TURN, DroppedBodies
from tests.support.waiting import until

LONG_S = 60.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection: the client's end, and the server's, which doesn't block."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            server.setblocking(False)
            yield client, server


def dropping(server: socket.socket, left_bytes: int | None, within_s: float = LONG_S) -> asyncio.Task[None]:
    return asyncio.create_task(DroppedBodies().drop(TransportSocket(server), left_bytes, within_s=within_s))


def waiting_bytes(server: socket.socket) -> int:
    """How much has come and has not been received."""
    return int(struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, bytes(4)))[0])


async def test_it_ends_with_the_last_byte(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    task = dropping(server, 300_000)
    await asyncio.to_thread(client.sendall, bytes(299_999))
    await until(lambda: waiting_bytes(server) == 0)
    assert not task.done()
    client.sendall(b"x")
    await asyncio.wait_for(task, LONG_S)


@pytest.mark.parametrize("is_reset", [True, False])
async def test_it_ends_when_the_client_has_gone(pair: tuple[socket.socket, socket.socket], is_reset: bool) -> None:
    client, server = pair
    task = dropping(server, None)
    client.sendall(b"x")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", is_reset, 0))
    client.close()
    await asyncio.wait_for(task, LONG_S)


async def test_it_ends_in_time_however_long_the_client_stays(pair: tuple[socket.socket, socket.socket]) -> None:
    await asyncio.wait_for(dropping(pair[1], None, within_s=0.01), LONG_S)


async def test_only_so_many_bodies_are_dropped_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
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


async def test_very_much_is_dropped_slowly(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
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


async def test_a_few_are_read_in_each_turn() -> None:
    bodies = DroppedBodies()
    for _ in range(3):
        assert sum(bodies.may_read() for _ in range(2 * MAX_READS_PER_TURN)) == MAX_READS_PER_TURN
        await asyncio.sleep(0)
