"""Originals in the spool of another node: read from there, or copied to this disk."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import aiohttp

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.model import Image
from appliance.nodes.neighbours import Neighbours, blocks, unavailable

PATH = "/nodes/originals/"
"""Followed by the slug, and a query with `sha256`, `start` and `length`."""
UNFINISHED = ".fetching"


class NodeReader:
    """The bytes of an original as they come from its node: iterate over it once, then call `aclose`.

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


class NeighbourOriginals:
    """Reads originals where their rows say that they are."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def open(self, image: Image, start: int, length: int) -> NodeReader:
        """`length` bytes of the row's original from `start`.

        Raises NodeUnavailable; ObjectMissing if the node doesn't have it any more; StoreUnavailable if it has another.
        """
        node = image.node or ""
        path = f"{PATH}{image.slug}?sha256={image.sha256}&start={start}&length={length}"
        async with AsyncExitStack() as stack:
            reply = await stack.enter_async_context(self._neighbours.call(node, "GET", path))
            _require_success(node, reply)
            return NodeReader(node, reply, stack.pop_all())
        raise AssertionError

    async def fetch(self, image: Image, to: Path) -> None:
        """Copy the row's original to a path where there is none. It appears there whole. Raises as `open` does."""
        unfinished = to.with_name(to.name + UNFINISHED)
        reader = await self.open(image, 0, image.bytes)
        try:
            digest = await _write(reader, unfinished)
            if digest != image.sha256:
                raise StoreUnavailable("The original arrived damaged. Try again.", retry_after_s=1)
            await asyncio.to_thread(unfinished.rename, to)
        finally:
            await reader.aclose()
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)


def _require_success(node: str, reply: aiohttp.ClientResponse) -> None:
    if reply.status == HTTPStatus.NOT_FOUND:
        raise ObjectMissing(f"The node {node} doesn't have the original.")
    if reply.status == HTTPStatus.CONFLICT:
        raise StoreUnavailable("The original was replaced a moment ago. Try again.", retry_after_s=1)
    if reply.status != HTTPStatus.OK:
        raise unavailable()


async def _write(reader: NodeReader, path: Path) -> str:
    """Write the bytes, and return their sha256."""
    digest = hashlib.sha256()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for block in reader:
            await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(digest.update, block)
        await asyncio.to_thread(file.flush)
    return digest.hexdigest()
