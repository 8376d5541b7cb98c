"""The long path with several machines: the power of each one is lost, and the network between them."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.deploy.breaking import goes_on, until
from tests.deploy.cluster import Cluster
from tests.deploy.databases import bring_the_old_primary_back, fail_over, lose_the_replica
from tests.deploy.load import URL, session
from tests.deploy.sharing import SERVERS, every_promise_is_kept, is_ready, nodes, upload_to, uploaded

SERVERS_WAIT_S = 20  # with the store away
CUT = "table inet cut { chain out { type filter hook output priority 0; ip daddr { %s } drop; }; }"


def everything(cluster: Cluster) -> None:
    """Every fault, one after the other; each leaves all machines as they were."""
    lose_a_server(cluster)
    lose_the_front(cluster)
    lose_the_store(cluster)
    every_promise_is_kept(cluster)
    part_a_server_from_the_database(cluster)
    part_a_server_from_the_store(cluster)
    part_the_servers(cluster)
    every_promise_is_kept(cluster)
    lose_the_replica(cluster)
    fail_over(cluster)
    bring_the_old_primary_back(cluster)
    part_the_front_from_a_server(cluster)
    part_the_databases(cluster)
    every_promise_is_kept(cluster)


def lose_a_server(cluster: Cluster) -> None:
    """The other one does everything, and loses only what was under way."""
    for name in ("app1", "app2"):
        with (
            cluster.table.step(f"power of {name} lost under load") as step,
            cluster.load(seed=61) as account,
        ):
            step.under(account, may_fail=True)
            cluster.machines[name].lose_power()
            asyncio.run(asyncio.sleep(15))
            failed, sent = account.failed, account.sent
            cluster.machines[name].boot_again()
            until(lambda name=name: is_ready(cluster, name), f"{name} is ready again")  # type: ignore[misc]
            assert account.failed == failed, account.words
            assert account.sent > sent
        assert account.failed <= account.clients, account.words
        cluster.keep(account)


def lose_the_front(cluster: Cluster) -> None:
    """Nobody is answered until it is back, with the certificate that it had."""
    with cluster.table.step("power of the front lost under load") as step, cluster.load(seed=65) as account:
        step.under(account, may_fail=True)
        cluster.machines["front1"].lose_power()
        cluster.machines["front1"].boot_again()
        until(lambda: asyncio.run(uploaded(cluster)) is not None, "an upload is accepted again")
        step.note = f"{account.failed} failed until it was back"
        goes_on(account)
    cluster.keep(account)


def lose_the_store(cluster: Cluster) -> None:
    """Uploads go to the servers' spools, and from there to the store when it is back."""
    with cluster.table.step("power of the store lost under load") as step, cluster.load(seed=66) as account:
        step.under(account, may_fail=True)
        cluster.machines["store1"].lose_power()
        asyncio.run(asyncio.sleep(SERVERS_WAIT_S))
        waiting = _waiting(cluster)
        assert waiting > 0
        cluster.machines["store1"].boot_again()
        until(lambda: _waiting(cluster) < waiting, "what waited goes to the store", within_s=120)
        assert account.failed_by_kind["upload"] == 0, account.words
        goes_on(account)
        step.note = f"{waiting} originals waited for it; no upload failed"
    cluster.keep(account)


def _waiting(cluster: Cluster) -> int:
    """How many originals are in no store, but in a server's spool."""
    return sum(node["waiting_for_the_store"] for node in nodes(cluster, "app1"))


def part_a_server_from_the_database(cluster: Cluster) -> None:
    """The front leaves it out; what is deleted meanwhile is gone for everybody, and for it when it is back."""
    with cluster.table.step("network between app1 and the databases cut") as step, cluster.load(seed=62) as account:
        step.under(account, may_fail=True)
        slug, token = asyncio.run(uploaded(cluster)) or ("", "")
        with parted(cluster, "app1", "db1", "db2"):
            until(lambda: not is_ready(cluster, "app1"), "app1 says that it isn't ready")
            asyncio.run(asyncio.sleep(5))
            failed = account.failed
            doctor = cluster.machines["app1"].try_("/usr/local/sbin/appliance", "doctor")
            assert "can't connect to the database" in doctor, doctor
            asyncio.run(deleted(cluster, slug, token))
            asyncio.run(asyncio.sleep(10))
            assert account.failed == failed, account.words
        until(lambda: is_ready(cluster, "app1"), "app1 is ready again")
        for name in ("app1", "app2"):
            assert asked(cluster, name, f"/i/{slug}/thumbnail.jpg") == "410"
        step.note = f"{account.failed} failed until the front noticed"
    cluster.keep(account)


def part_a_server_from_the_store(cluster: Cluster) -> None:
    """What it accepts waits in its spool, from where the other one shows it; afterwards it goes to the store."""
    stored = upload_to(cluster, "app2", seed=70)
    until(lambda: _waiting(cluster) == 0, "all originals are in the store")
    with cluster.table.step("network between app1 and the store cut") as step, cluster.load(seed=67) as account:
        step.under(account, may_fail=True)
        with parted(cluster, "app1", "store1"):
            assert asked(cluster, "app1", f"/i/{stored}/original") == "503"
            slugs = [upload_to(cluster, "app1", seed) for seed in (71, 72, 73)]
            assert [asked(cluster, "app2", f"/i/{slug}/original") for slug in slugs] == ["200", "200", "200"]
            doctor = cluster.machines["app1"].try_("/usr/local/sbin/appliance", "doctor")
            assert "can't connect to the store" in doctor, doctor
            asyncio.run(asyncio.sleep(SERVERS_WAIT_S))
            waiting = _waiting(cluster)
            assert waiting >= len(slugs)
        until(lambda: _waiting(cluster) < waiting, "what waited goes to the store", within_s=120)
        goes_on(account)
        assert account.failed_by_kind["upload"] == 0, account.words
        assert account.failed - account.refused <= account.clients, account.words  # replies that the cut broke off
        step.note = f"{waiting} originals waited for it; no upload failed, {account.failed} views did"
    cluster.keep(account)


def part_the_servers(cluster: Cluster) -> None:
    """Each does everything that needs no bytes of the other, and what is deleted is gone at both."""
    with cluster.table.step("network between app1 and app2 cut") as step, cluster.load(seed=68) as account:
        step.under(account, may_fail=True)
        unfinished = _begun_upload(cluster, "app1")
        assert asked(cluster, "app2", unfinished) == "200"
        with parted(cluster, "app1", "app2"):
            assert asked(cluster, "app2", unfinished) == "503"
            doctor = cluster.machines["app1"].try_("/usr/local/sbin/appliance", "doctor")
            assert "can't connect to the server app2" in doctor, doctor
            slug, token = asyncio.run(uploaded(cluster)) or ("", "")
            for name in SERVERS:
                view = f"/i/{slug}/thumbnail.jpg"
                until(lambda name=name, view=view: asked(cluster, name, view) == "200", f"{name} shows it")  # type: ignore[misc]
            asyncio.run(deleted(cluster, slug, token))
            assert [asked(cluster, name, f"/i/{slug}/thumbnail.jpg") for name in SERVERS] == ["410", "410"]
            assert all(is_ready(cluster, name) for name in SERVERS)
            asyncio.run(asyncio.sleep(10))
        until(lambda: asked(cluster, "app2", unfinished) == "200", "app2 asks app1 again")
        goes_on(account)
        assert account.failed_by_kind["upload"] == 0, account.words
        assert account.failed == account.refused, account.words
        step.note = f"no upload failed, {account.failed} views did"
    cluster.keep(account)


def part_the_front_from_a_server(cluster: Cluster) -> None:
    """The front asks the other one, as if the server had died."""
    with cluster.table.step("network between the front and app1 cut") as step, cluster.load(seed=73) as account:
        step.under(account, may_fail=True)
        with parted(cluster, "front1", "app1"):
            asyncio.run(asyncio.sleep(15))
            failed, sent = account.failed, account.sent
            asyncio.run(asyncio.sleep(10))
            assert account.failed == failed, account.words
            assert account.sent > sent
        goes_on(account)
        step.note = f"{account.failed} failed until the front noticed"
    assert account.failed <= account.clients, account.words
    cluster.keep(account)


def part_the_databases(cluster: Cluster) -> None:
    """No commit is confirmed that the replica doesn't have: uploads are refused until it follows again, views go on."""
    with cluster.table.step("network between db1 and db2 cut") as step, cluster.load(seed=74) as account:
        step.under(account, may_fail=True)
        with parted(cluster, "db1", "db2"):
            until(lambda: account.failed_by_kind["upload"] > 0, "an upload is refused")
            asyncio.run(asyncio.sleep(5))
        until(lambda: asyncio.run(uploaded(cluster)) is not None, "an upload is accepted again")
        goes_on(account)
        assert account.failed == account.failed_by_kind["upload"] == account.refused, account.words
        step.note = f"{account.failed} uploads refused, no view failed"
    cluster.keep(account)


def _begun_upload(cluster: Cluster, name: str) -> str:
    """The path of a resumable upload that this server has, without a byte yet."""
    headers = "-H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 1000'"
    place = f"http://{cluster.addresses[name]}:8080/api/v1/uploads"
    reply = cluster.machines["front1"].sh(f"curl -s -D - -o /dev/null -X POST {headers} {place}")
    found = re.search(r"^Location: (?:https?://[^/]+)?(/\S+)", reply, re.MULTILINE | re.IGNORECASE)
    assert found, reply
    return found[1]


@contextmanager
def parted(cluster: Cluster, name: str, *others: str) -> Iterator[None]:
    """The machine's packets to the others are dropped."""
    machine = cluster.machines[name]
    machine.sh(f"nft '{CUT % ', '.join(cluster.addresses[other] for other in others)}'")
    try:
        yield
    finally:
        machine.do("nft", "delete", "table", "inet", "cut")


def asked(cluster: Cluster, name: str, path: str) -> str:
    """The status with which a server answers itself."""
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' http://{cluster.addresses[name]}:8080{path}"
    return cluster.machines["front1"].sh(ask)


async def deleted(cluster: Cluster, slug: str, token: str) -> None:
    """Delete it through the front, where it is gone from then on."""
    async with session(cluster.authority, front=cluster.front) as client:
        headers = {"Authorization": f"Bearer {token}"}
        async with client.delete(f"{URL}/api/v1/images/{slug}", headers=headers) as reply:
            assert reply.status in (200, 204), await reply.text()
        async with client.get(f"{URL}/i/{slug}/original") as reply:
            assert reply.status == 410
