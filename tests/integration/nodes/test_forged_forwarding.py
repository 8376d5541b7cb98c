"""Headers of a proxy that a client forges: another node neither gets them nor takes the node that passes them on for a
proxy, behind which nobody is limited by address."""

import time
from typing import Any

import pytest

from appliance.http.forwarding_watch import FORWARDING_HEADERS, MIN_REQUESTS
from appliance.nodes.neighbours import CLIENT, SENDER, SIGNATURE
from appliance.nodes.signatures import NodeCall, Signatures
from tests.support.nodes import SECRET, NodeHost
from tests.support.tus_client import VERSION, Tus

Nodes = tuple[NodeHost, NodeHost]
pytestmark = pytest.mark.asyncio(loop_scope="module")
FORGED = dict.fromkeys(FORWARDING_HEADERS, "192.0.2.1")


async def test_a_node_that_passes_requests_on_is_taken_for_no_proxy(nodes: Nodes) -> None:
    call, signatures = NodeCall("box-2", "box-1", "GET", "/api/v1/limits", "192.0.2.7"), Signatures(SECRET, time.time)
    url = nodes[0].listener.make_url(call.path)
    for _ in range(2 * MIN_REQUESTS):
        signed = {SENDER: call.sender, CLIENT: call.client, SIGNATURE: signatures.sign(call)}
        async with nodes[0].client.session.get(url, headers=FORGED | signed) as reply:
            assert reply.status == 200
    assert nodes[0].appliance.limits.aside == set()
    assert nodes[0].appliance.forwarding_watch.untrusted_proxy is None


async def test_headers_of_proxies_are_not_passed_on(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = nodes
    where = await Tus(one).create(100)
    assert two.appliance.calls is not None
    neighbours = two.appliance.calls.neighbours
    call, passed = neighbours.call, set[str]()

    def recorded(node: str, method: str, path: str, headers: Any, *arguments: Any, **more: Any) -> Any:
        passed.update(name.lower() for name in headers)
        return call(node, method, path, headers, *arguments, **more)

    monkeypatch.setattr(neighbours, "call", recorded)
    reply = await two.client.head(where, headers=VERSION | FORGED)
    assert reply.status == 200
    assert "tus-resumable" in passed
    assert not passed & set(map(str.lower, FORWARDING_HEADERS))
