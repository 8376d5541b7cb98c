"""Bytes that go into a spool."""

from collections.abc import AsyncIterator

from appliance.domain.slugs import mint
from appliance.spool import Spool
from appliance.spool.transfers import Incoming

PLENTY = 1 << 40


def slug(number: int) -> str:
    return mint(1_790_000_000, lambda _: 0)[:-2] + f"{number:02d}"


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def received(spool: Spool, name: str, data: bytes) -> Incoming:
    return await spool.receive(name, stream(data), announced_bytes=len(data), max_bytes=PLENTY)
