"""Object stores over the servers that tests start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.objectstore import MinioStore
from appliance.objectstore.multipart import PART_BYTES
from tests.support.servers import REGION, Server


def store_on(
    server: Server,
    bucket: str = "images",
    *,
    access_key: str | None = None,
    secret_key: str | None = None,
    region: str = REGION,
    part_bytes: int = PART_BYTES,
) -> MinioStore:
    """A store over a running server, not started yet."""
    return MinioStore(
        endpoint=server.endpoint,
        bucket=bucket,
        access_key=access_key or server.access_key,
        secret_key=secret_key or server.secret_key,
        journal=server.folder / "journal",
        secure=False,
        region=region,
        part_bytes=part_bytes,
    )


@asynccontextmanager
async def looking_into(server: Server, bucket: str) -> AsyncIterator[MinioStore]:
    """The bucket as it is, read past the appliance."""
    store = store_on(server, bucket)
    try:
        yield store
    finally:
        await store.close()
