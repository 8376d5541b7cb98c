"""The state of the host, for keys that operate."""

from appliance.domain.access_keys import Scope
from tests.support.access import minted
from tests.support.host import Host, bearer, problem


async def test_a_key_that_operates_reads_the_state_of_the_host_and_nothing_more(host: Host, jpeg: bytes) -> None:
    key = await minted(host, scopes=(Scope.OPERATE,))
    reply = await host.client.get("/api/v1/status", headers=bearer(key))
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    state = await reply.json()
    assert (state["ready"], state["store"], state["bans"]) == (True, "ok", 0)
    await problem(await host.client.post("/api/v1/images", data=jpeg, headers=bearer(key)), "key-scope")


async def test_nobody_else_reads_it(host: Host) -> None:
    await problem(await host.client.get("/api/v1/status"), "key-required")
    await problem(await host.client.get("/api/v1/status", headers=bearer(await minted(host))), "key-scope")
