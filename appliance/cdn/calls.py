"""Calls to caches, and what their refusals mean in words. Blocking, so they run on threads of their own."""

from collections.abc import Mapping

import urllib3

from appliance.domain.errors import PurgeFailed
from appliance.shared.threads import Threads

CONNECT_S, READ_S = 2.0, 8.0
MOST_PATIENCE_S = 3600
MAX_ANSWER_BYTES = 64 * 1024
_CONFIRMED = range(200, 300)
_TOO_MANY = 429


class Calls:
    """HTTP calls, `limit` at a time, over connections that are kept."""

    def __init__(self, limit: int) -> None:
        self._threads = Threads("cdn", limit)
        timeout = urllib3.Timeout(connect=CONNECT_S, read=READ_S)
        self._pool = urllib3.PoolManager(maxsize=limit, timeout=timeout, retries=False)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
        """The answer's body, cut to 64 KB. Raises PurgeFailed for whatever is not a success."""
        return await self._threads.run(self._send, method, url, headers, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        try:
            answer = self._pool.request(method, url, headers=headers, body=body, redirect=False, preload_content=False)
            try:
                text = answer.read(MAX_ANSWER_BYTES)
            finally:
                answer.drain_conn()
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, ValueError) as fault:
            raise PurgeFailed(f"{url} {_silence(fault)}") from fault
        if answer.status not in _CONFIRMED:
            raise PurgeFailed(
                f"{url} answered {answer.status} to {method}: {_advice(answer.status)}",
                retry_after_s=_patience_s(answer.headers.get("Retry-After")),
            )
        return text

    async def close(self) -> None:
        await self._threads.close()
        self._pool.clear()


def _silence(fault: Exception) -> str:
    if isinstance(fault, urllib3.exceptions.SSLError):
        return "can't be trusted because its certificate is invalid. Check the address and this machine's certificates."
    if isinstance(fault, urllib3.exceptions.NewConnectionError):
        return "can't be reached. Is it running, and can this host reach it (IPAddressAllow= in systemd)?"
    if isinstance(fault, urllib3.exceptions.TimeoutError):
        return f"didn't answer within {READ_S:.0f} s. Is it running, and can this host reach it?"
    return "closed the connection. Is it running, and does it speak HTTP?"


def _advice(status: int) -> str:
    if status in (401, 403):
        return "this host isn't allowed to purge there. Check the token, or which hosts the cache accepts purges from."
    if status in (404, 405):
        return "nothing there accepts purges. Check the address, the zone and the cache's configuration."
    if status == _TOO_MANY:
        return "too many purges at once; they continue when it allows."
    return "it couldn't purge. Check its log."


def _patience_s(retry_after: str | None) -> int | None:
    """Seconds to wait; None where the cache names none, or names a date, which nobody in use does."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(int(retry_after[:9]), MOST_PATIENCE_S)
