"""HTTP PURGE by tag, as Varnish accepts it with the VCL of docs/cdn.md: one request to each cache."""

import asyncio
from collections.abc import Sequence

from appliance.cdn.purge_client import READ_TIMEOUT_S, PurgeClient

TAG_HEADER = "X-Purge-Tag"


class VarnishCaches:
    """Caches of one's own, each purged by a request to its own address.

    The tags of a call become one regular expression, and so one ban: a list of bans that grows with every image would
    slow down each hit of the cache until its lurker has tested them.
    """

    max_tags = 100  # 1.8 KB in a header, of the 8 KB that Varnish accepts (http_req_hdr_len)

    def __init__(self, urls: Sequence[str], *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._urls = tuple(urls)
        self._client = PurgeClient(len(self._urls), read_timeout_s)

    async def purge(self, tags: Sequence[str]) -> None:
        headers = {TAG_HEADER: "|".join(tags)}
        purges = (self._client.send("PURGE", url, headers) for url in self._urls)
        results = await asyncio.gather(*purges, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        await self._client.close()
