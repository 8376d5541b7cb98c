"""What is asked of aiohttp behind its public methods, held to the version in use."""

import asyncio

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol

from appliance.http.transport.connections import read_unread


async def test_what_a_broken_connection_brought_can_still_be_read() -> None:
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), limit=1 << 16, loop=loop)
    content.feed_data(b"some ")
    content.feed_data(b"bytes")
    content.set_exception(ConnectionResetError("gone"))
    with pytest.raises(ConnectionResetError):
        content.read_nowait()
    assert read_unread(content) == b"some bytes"
    assert read_unread(content) == b""
