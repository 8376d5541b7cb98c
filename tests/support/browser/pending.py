"""An upload whose page is shown before its bytes have come."""

import io
from dataclasses import dataclass

import aiohttp

from tests.support.tus_client import BYTES, UPLOADS, VERSION, encoded


@dataclass
class Arriving:
    """An upload that has begun, and its share page."""

    session: aiohttp.ClientSession
    where: str
    slug: str

    @classmethod
    async def begun(cls, url: str, session: aiohttp.ClientSession, length: int) -> "Arriving":
        headers = VERSION | {"Upload-Length": str(length), "Upload-Metadata": encoded(title="The Alps")}
        async with session.post(url + UPLOADS, headers=headers) as reply:
            where = url + reply.headers["Location"]
        async with session.get(where) as reply:
            return cls(session, where, (await reply.json())["image"]["slug"])

    async def send(self, data: bytes, offset: int) -> None:
        headers = VERSION | BYTES | {"Upload-Offset": str(offset)}
        async with self.session.patch(self.where, headers=headers, data=io.BytesIO(data)) as reply:
            assert reply.status == 204, await reply.text()

    async def give_up(self) -> None:
        async with self.session.delete(self.where, headers=VERSION) as reply:
            assert reply.status == 204
