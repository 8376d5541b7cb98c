"""The HTTP client for caches, which explains their refusals. Calls block, so they run on threads of their own."""

from collections.abc import Mapping

import urllib3

from appliance.domain.errors import PurgeFailed
from appliance.shared.threads import Threads

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 2.0, 8.0
MAX_RETRY_AFTER_S = 3600
MAX_BODY_BYTES = 64 * 1024
_CONFIRMED = range(200, 300)
_TOO_MANY = 429


class PurgeClient:
    """Sends requests, at most `max_calls` at a time, over connections that are kept open.

    A cache that sends nothing for `read_timeout_s` is given up.
    """

    def __init__(self, max_calls: int, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._read_timeout_s = read_timeout_s
        self._threads = Threads("cdn", max_calls)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
        self._pool = urllib3.PoolManager(maxsize=max_calls, timeout=timeout, retries=False)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
        """The response's body, cut to 64 KiB. Raises PurgeFailed for everything that is not a success."""
        return await self._threads.run(self._send, method, url, headers, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        try:
            response = self._pool.request(
                method, url, headers=headers, body=body, redirect=False, preload_content=False
            )
            try:
                text = response.read(MAX_BODY_BYTES)
            finally:
                response.drain_conn()
                response.release_conn()
        except (urllib3.exceptions.HTTPError, ValueError) as fault:
            raise PurgeFailed(f"{url} {self._explain_silence(fault)}") from fault
        if response.status not in _CONFIRMED:
            raise PurgeFailed(
                f"{url} answered {response.status} to {method}: {_advise(response.status)}",
                retry_after_s=_retry_after_s(response.headers.get("Retry-After")),
            )
        return text

    def _explain_silence(self, fault: Exception) -> str:
        if isinstance(fault, urllib3.exceptions.SSLError):
            return (
                "can't be trusted because its certificate is invalid. "
                "Check the address and this machine's certificates."
            )
        if isinstance(fault, urllib3.exceptions.NewConnectionError):
            return "can't be reached. Is it running, and can this host reach it (IPAddressAllow= in systemd)?"
        if isinstance(fault, urllib3.exceptions.TimeoutError):
            return f"didn't answer within {self._read_timeout_s:.0f} s. Is it running, and can this host reach it?"
        return "closed the connection. Is it running, and does it speak HTTP?"

    async def close(self) -> None:
        await self._threads.close()
        self._pool.clear()


def _advise(status: int) -> str:
    if status in (401, 403):
        return "this host isn't allowed to purge there. Check the token, or which hosts the cache accepts purges from."
    if status in (404, 405):
        return "nothing there accepts purges. Check the address, the zone and the cache's configuration."
    if status == _TOO_MANY:
        return "too many purges at once; they continue when it allows."
    return "it couldn't purge. Check its log."


def _retry_after_s(header: str | None) -> int | None:
    """Seconds to wait; None where the cache names none, or names a date, which no known cache does."""
    if header is None or not header.isascii() or not header.isdigit():
        return None
    return min(int(header[:9]), MAX_RETRY_AFTER_S)
