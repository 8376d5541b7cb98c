"""Object stores over the servers that tests start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.objectstore import MinioStore
from tests.support.store_servers import Server


def store_on(server: Server, bucket: str = "images", secret_key: str | None = None) -> MinioStore:
    """A store over a running server, not started yet."""
    return MinioStore(
        endpoint=server.endpoint,
        bucket=bucket,
        access_key=server.access_key,
        secret_key=secret_key or server.secret_key,
        journal=server.folder / "journal",
        secure=False,
    )


@asynccontextmanager
async def looking_into(server: Server, bucket: str) -> AsyncIterator[MinioStore]:
    """The bucket as it is, read past the appliance."""
    store = store_on(server, bucket)
    try:
        yield store
    finally:
        await store.close()
