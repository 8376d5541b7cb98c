"""HTTP PURGE by tag, as Varnish takes it: one request to each cache, which bans all that carries one of the tags."""

import asyncio
from collections.abc import Sequence

from appliance.cdn.calls import Calls

TAG_HEADER = "X-Purge-Tag"


class Banning:
    """Caches of one's own, each told by itself; what one does not confirm is not confirmed.

    The tags of a call make one regular expression, and so one ban: a list of bans that grows with every image would
    slow down each of the cache's hits until its lurker has come by.
    """

    most_tags = 100  # 1.8 KB in a header, of the 8 KB that Varnish takes (http_req_hdr_len)

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._calls = Calls(len(self._urls))

    async def purge(self, tags: Sequence[str]) -> None:
        headers = {TAG_HEADER: "|".join(tags)}
        told = (self._calls.send("PURGE", url, headers) for url in self._urls)
        results = await asyncio.gather(*told, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def close(self) -> None:
        await self._calls.close()
