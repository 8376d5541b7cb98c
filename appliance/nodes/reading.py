"""Reading a file of another node: as it comes, or copied to this disk."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import aiohttp

from appliance.domain.errors import DiskFull, ObjectMissing, StoreUnavailable
from appliance.nodes.neighbours import Neighbours, blocks, unavailable
from appliance.shared import files


class NodeReader:
    """The bytes of a file as they come from its node: iterate over it once, then call `aclose`.

    Iterating raises NodeUnavailable when the node stops before the end.
    """

    def __init__(self, node: str, reply: aiohttp.ClientResponse, call: AsyncExitStack) -> None:
        self._blocks = blocks(node, reply)
        self._call = call

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks

    async def aclose(self) -> None:
        """End the call; repeating it is fine."""
        await self._call.aclose()


async def open_on(neighbours: Neighbours, node: str, path: str) -> NodeReader:
    """The file that the node shows at the path.

    Raises NodeUnavailable; ObjectMissing if the node doesn't have it any more; StoreUnavailable if it has another.
    """
    async with AsyncExitStack() as stack:
        reply = await stack.enter_async_context(neighbours.call(node, "GET", path))
        if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise ObjectMissing("Another server of this host doesn't have the file any more.")
        if reply.status == HTTPStatus.CONFLICT:
            raise StoreUnavailable("The file was replaced a moment ago. Try again.", retry_after_s=1)
        if reply.status != HTTPStatus.OK:
            raise unavailable()
        return NodeReader(node, reply, stack.pop_all())
    raise AssertionError


async def copy(reader: NodeReader, unfinished: Path, to: Path, sha256: str | None = None) -> None:
    """Write the bytes to `unfinished`, and move them to `to`, on the same filesystem: there they are whole and durable.

    Raises NodeUnavailable, DiskFull, and StoreUnavailable if they don't have the digest `sha256`.
    """
    try:
        digest = await _write(reader, unfinished)
        if sha256 not in (None, digest):
            raise StoreUnavailable("The file arrived damaged. Try again.", retry_after_s=1)
        await asyncio.to_thread(files.rename, unfinished, to)
    except OSError as fault:
        raise DiskFull from fault
    finally:
        await reader.aclose()
        await asyncio.to_thread(unfinished.unlink, missing_ok=True)


async def _write(reader: NodeReader, path: Path) -> str:
    """Write the bytes, and return their sha256."""
    digest = hashlib.sha256()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for block in reader:
            await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(digest.update, block)
        await asyncio.to_thread(file.flush)
    await asyncio.to_thread(files.sync, path)
    return digest.hexdigest()
