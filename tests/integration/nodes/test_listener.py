"""The listener for nodes: it answers nobody but a node, once, and for what that node signed."""

import time
from dataclasses import replace

import aiohttp
import pytest

from appliance.access.bans import NewBan
from appliance.domain import tokens
from appliance.nodes.neighbours import CLIENT, SENDER, SIGNATURE, USER
from appliance.nodes.signatures import WINDOW_S, NodeCall, NotFromANode, Signatures
from tests.support.host import problem
from tests.support.nodes import SECRET, NodeHost
from tests.support.tus_client import VERSION, Tus

Nodes = tuple[NodeHost, NodeHost]
pytestmark = pytest.mark.asyncio(loop_scope="module")
CALL = NodeCall("box-1", "box-2", "GET", "/api/v1/me")


def headers(call: NodeCall, signature: str) -> dict[str, str]:
    return {SENDER: call.sender, CLIENT: call.client, USER: call.user, SIGNATURE: signature}


async def asked(node: NodeHost, path: str, sent: dict[str, str]) -> int:
    """The status of the reply of its listener."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{node.listener.make_url(path)}", headers=sent) as reply,
    ):
        return reply.status


async def test_a_call_that_a_node_signed_is_answered_once(nodes: Nodes) -> None:
    sent = headers(CALL, Signatures(SECRET, time.time).sign(CALL))
    assert await asked(nodes[1], CALL.path, sent) == 200
    assert await asked(nodes[1], CALL.path, sent) == 403


@pytest.mark.parametrize(
    ("signed", "secret"),
    [
        (replace(CALL, path="/api/v1/limits"), SECRET),
        (replace(CALL, method="DELETE"), SECRET),
        (replace(CALL, recipient="box-3"), SECRET),
        (replace(CALL, client="192.0.2.1"), SECRET),
        (replace(CALL, user="alice"), SECRET),
        (CALL, "the secret of another host, as long as ours"),
    ],
    ids=["another path", "another method", "for another node", "another client", "another user", "another secret"],
)
async def test_any_other_call_is_refused(nodes: Nodes, signed: NodeCall, secret: str) -> None:
    assert await asked(nodes[1], CALL.path, headers(CALL, Signatures(secret, time.time).sign(signed))) == 403


@pytest.mark.parametrize("signature", ["", "..", "x.y.z", "1.é.é", "9" * 5000])
async def test_what_is_no_signature_is_refused(nodes: Nodes, signature: str) -> None:
    sent = headers(CALL, signature.encode().decode("latin-1"))
    assert await asked(nodes[1], CALL.path, sent) == 403
    assert await asked(nodes[1], CALL.path, {}) == 403


async def test_a_signature_is_good_for_half_a_minute() -> None:
    now_s = 1_000_000.0
    signer, checker = Signatures(SECRET, lambda: now_s), Signatures(SECRET, lambda: now_s + WINDOW_S + 1)
    with pytest.raises(NotFromANode):
        checker.check(CALL, signer.sign(CALL))


async def test_strangers_are_no_nodes_by_their_headers(nodes: Nodes) -> None:
    """What only nodes may ask for is on their listener alone."""
    call = replace(CALL, path="/nodes/originals/0123456789abcdefg?sha256=&start=0&length=1")
    sent = headers(call, Signatures(SECRET, time.time).sign(call))
    assert (await nodes[1].client.get(call.path, headers=sent)).status == 404


@pytest.mark.parametrize(("client", "status"), [("192.0.2.9", 403), ("198.51.100.9", 201)])
async def test_a_request_that_is_passed_on_counts_for_its_client(nodes: Nodes, client: str, status: int) -> None:
    one, two = nodes
    await two.appliance.bans.add(NewBan("192.0.2.0/24", "Spam", None, views=False))
    assert one.appliance.calls is not None
    call = one.appliance.calls.neighbours.call(
        two.name, "POST", "/api/v1/uploads", {"Upload-Length": "5"} | VERSION, client=client
    )
    async with call as reply:
        assert reply.status == status


async def test_what_was_passed_on_is_not_passed_on_again(nodes: Nodes) -> None:
    one, two = nodes
    where = await Tus(one).create(5)
    assert one.appliance.calls is not None
    async with one.appliance.calls.neighbours.call(two.name, "GET", where) as reply:
        assert (reply.status, (await reply.json())["code"]) == (503, "node-unavailable")


async def test_a_request_for_a_node_that_nobody_knows_is_answered_at_once(nodes: Nodes) -> None:
    one, two = nodes
    where = await Tus(one).create(5)
    id_hash = tokens.hash_secret(where.rpartition("/")[2])
    await one.appliance.catalogue.uploads.claim([id_hash], "box-9")
    await problem(await two.get(where), "node-unavailable")


async def test_a_node_that_the_others_do_not_believe_answers_for_none_of_them(nodes: Nodes) -> None:
    """The client doesn't hear of their refusal: it is not for them."""
    one, two = nodes
    where = await Tus(one).create(5)
    assert two.appliance.calls is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two.appliance.calls.neighbours, "_signatures", Signatures("another secret", time.time))
        await problem(await two.get(where), "node-unavailable")
    assert (await two.get(where)).status == 200
