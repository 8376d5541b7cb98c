"""Cloudflare's purge by cache tag, which all of its plans have."""

import json
from collections.abc import Sequence

from appliance.cdn.calls import Calls
from appliance.domain.errors import PurgeFailed

_SHOWN_CHARS = 200


class Cloudflare:
    """One zone. How many calls it takes depends on the plan, from 5 a minute up; beyond it answers 429."""

    most_tags = 100  # developers.cloudflare.com/cache/how-to/purge-cache: "Max operations per request", all plans

    def __init__(self, api_url: str, *, zone: str, token: str) -> None:
        self._url = f"{api_url.rstrip('/')}/zones/{zone}/purge_cache"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._calls = Calls(1)

    async def purge(self, tags: Sequence[str]) -> None:
        answer = await self._calls.send("POST", self._url, self._headers, json.dumps({"tags": list(tags)}).encode())
        try:
            confirmed = json.loads(answer)["success"] is True
        except (ValueError, KeyError, TypeError):
            confirmed = False
        if not confirmed:
            shown = answer.decode(errors="replace")[:_SHOWN_CHARS]
            raise PurgeFailed(f"{self._url} did not confirm the purge. It said: {shown}")

    async def close(self) -> None:
        await self._calls.close()
