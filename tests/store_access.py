"""The bucket as it is, seen beside the appliance."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.objectstore import MinioStore
from tests.servers import Server


@asynccontextmanager
async def looking_into(server: Server, bucket: str) -> AsyncIterator[MinioStore]:
    store = MinioStore(
        endpoint=server.endpoint,
        bucket=bucket,
        access_key=server.access_key,
        secret_key=server.secret_key,
        journal=server.folder / "journal",
        secure=False,
    )
    try:
        yield store
    finally:
        await store.close()
