"""The long path with several machines: each one's power, the network between them, and the database are lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tests.deploy.breaking import until
from tests.deploy.cluster import Cluster
from tests.deploy.load import URL, session
from tests.deploy.sharing import every_promise_is_kept
from tests.support.images import pictures

CUT = "table inet cut { chain out { type filter hook output priority 0; ip daddr { %s } drop; }; }"
FOLLOWED = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"


def everything(cluster: Cluster) -> None:
    """Every fault, one after the other; each leaves all machines as they were."""
    lose_a_server(cluster)
    lose_front_and_store(cluster)
    part_a_server_from_the_database(cluster)
    fail_over(cluster)
    bring_the_old_primary_back(cluster)
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


def is_ready(cluster: Cluster, name: str) -> bool:
    return '"ready": true' in cluster.machines[name].try_("/usr/local/sbin/appliance", "status")


def lose_front_and_store(cluster: Cluster) -> None:
    with cluster.table.step("power of front and store lost"):
        cluster.machines["edge"].lose_power()
        cluster.machines["edge"].boot_again()
        until(lambda: asyncio.run(uploaded(cluster)) is not None, "an upload is accepted again")
    every_promise_is_kept(cluster)


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
    return cluster.machines["edge"].sh(ask)


def fail_over(cluster: Cluster) -> None:
    promote = ("-e", "postgresql_promote=db2")
    with cluster.table.step("failover refused while the primary answers"):
        recap = cluster.play("failover", *promote)
        assert recap.status != 0
        assert "db1 still answers" in recap.output, recap.output[-3000:]
    with cluster.table.step("power of the database lost, failover") as step, cluster.load(seed=63) as account:
        step.under(account, may_fail=True)
        cluster.machines["db1"].lose_power()
        cluster.play("failover", *promote).ok()
        until(lambda: is_ready(cluster, "app1") and is_ready(cluster, "app2"), "both servers are ready")
        asyncio.run(uploaded(cluster))
    cluster.keep(account)
    every_promise_is_kept(cluster)


def bring_the_old_primary_back(cluster: Cluster) -> None:
    with cluster.table.step("the old primary is back, as it was"):
        cluster.machines["db1"].boot_again()
        cluster.variables["postgresql_primary"] = "db2"
        recap = cluster.play("site")
        assert recap.status != 0
        assert "db1 was the primary, and db2 is to be it" in recap.output, recap.output[-3000:]
    with cluster.table.step("made a replica of the new one, under load") as step, cluster.load(seed=64) as account:
        step.under(account)
        cluster.play("site", "-e", "postgresql_rebuild=db1").ok()
        followed = cluster.machines["db2"].do("runuser", "-u", "postgres", "--", "psql", "-XqtAc", FOLLOWED)
        assert followed.strip() == "1"
    cluster.keep(account)


async def uploaded(cluster: Cluster) -> tuple[str, str] | None:
    """Slug and delete token of a new image. None where it was not accepted."""
    async with session(cluster.authority, front=cluster.front) as client:
        try:
            async with client.post(f"{URL}/api/v1/images?filename=one.jpg", data=pictures.photo(seed=7)) as reply:
                image = await reply.json() if reply.status == 201 else {}
        except OSError:
            return None
    return (image["slug"], image["delete_token"]) if image else None


async def deleted(cluster: Cluster, slug: str, token: str) -> None:
    """Delete it through the front, where it is gone from then on."""
    async with session(cluster.authority, front=cluster.front) as client:
        headers = {"Authorization": f"Bearer {token}"}
        async with client.delete(f"{URL}/api/v1/images/{slug}", headers=headers) as reply:
            assert reply.status in (200, 204), await reply.text()
        async with client.get(f"{URL}/i/{slug}/original") as reply:
            assert reply.status == 410
