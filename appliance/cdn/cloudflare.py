"""Cloudflare's purge by cache tag, which all of its plans have."""

import json
from collections.abc import Sequence

from appliance.cdn.purge_client import READ_TIMEOUT_S, PurgeClient
from appliance.domain.errors import PurgeFailed

_SHOWN_CHARS = 200


class CloudflareZone:
    """One zone. How many calls it accepts depends on the plan, from 5 a minute up; beyond that it answers 429."""

    max_tags = 100  # developers.cloudflare.com/cache/how-to/purge-cache: "Max operations per request", all plans

    def __init__(self, api_url: str, *, zone: str, token: str, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._url = f"{api_url.rstrip('/')}/zones/{zone}/purge_cache"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = PurgeClient(1, read_timeout_s)

    async def purge(self, tags: Sequence[str]) -> None:
        body = await self._client.send("POST", self._url, self._headers, json.dumps({"tags": list(tags)}).encode())
        if not _is_success(body):
            shown = body.decode(errors="replace")[:_SHOWN_CHARS]
            raise PurgeFailed(f"{self._url} did not confirm the purge. It said: {shown}")

    async def close(self) -> None:
        await self._client.close()


def _is_success(body: bytes) -> bool:
    try:
        return json.loads(body)["success"] is True
    except (ValueError, KeyError, TypeError):
        return False
