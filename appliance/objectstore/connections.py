"""The HTTP connections to an S3 server: kept open, with timeouts; a request on a closed one is repeated once."""

from types import TracebackType

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ReadTimeoutError

# urllib3 sends bodies under the connect timeout, and a disk under load makes MinIO stop reading for seconds.
READ_TIMEOUT = Timeout(connect=2, read=8)
SEND_TIMEOUT = Timeout(connect=8, read=30)


def connection_pool(max_connections: int, block_bytes: int) -> PoolManager:
    """A pool that keeps `max_connections` open and sends bodies in blocks of `block_bytes`."""
    return PoolManager(
        num_pools=2,
        maxsize=max_connections,
        blocksize=block_bytes,
        timeout=READ_TIMEOUT,
        retries=StaleConnectionRetry(total=1, redirect=0, status=0, other=0, allowed_methods=None),
    )


class StaleConnectionRetry(Retry):
    """Tries once more where a kept connection was closed by the server; a slow server is not asked twice."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> "StaleConnectionRetry":
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)
