"""The long path with several machines: replica and primary are lost, and come back."""

import asyncio

from tests.deploy.breaking import goes_on, until
from tests.deploy.cluster import Cluster
from tests.deploy.sharing import SERVERS, every_promise_is_kept, is_ready, uploaded

FOLLOWED = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'"
PROMOTE = ("-e", "postgresql_promote=db2")
STOPPED = """cluster=$(pg_lsclusters --no-header | cut -d' ' -f1)
systemctl stop postgresql@$cluster-main
"""
INTERRUPTED = f"""{STOPPED}
cd /var/lib/postgresql/$cluster
mv main main.before-interrupted
mkdir main.copy && touch main.copy/half"""
CATALOGUE = "/etc/appliance/credentials/catalogue_url"


def lose_the_replica(cluster: Cluster) -> None:
    """Commits wait for it until the inventory has it no more; when it is back, they wait for it again."""
    with cluster.table.step("power of the replica lost, and out of the inventory"):
        cluster.machines["db2"].lose_power()
        recap = cluster.play("site")
        assert recap.status != 0
        cluster.groups["database"] = ["db1"]
        cluster.play("site").ok()
        assert asyncio.run(uploaded(cluster)) is not None
    with cluster.table.step("the replica is back, and in the inventory") as step:
        cluster.machines["db2"].boot_again()
        cluster.groups["database"] = ["db1", "db2"]
        step.note = f"changed={cluster.play('site').ok().changed}"
        assert followers(cluster, "db1") == 1
    every_promise_is_kept(cluster)


def fail_over(cluster: Cluster) -> None:
    with cluster.table.step("failover refused while the primary answers"):
        recap = cluster.play("failover", *PROMOTE)
        assert recap.status != 0
        assert "db1 still answers" in recap.output, recap.output[-3000:]
    with cluster.table.step("power of the database lost, failover") as step, cluster.load(seed=63) as account:
        step.under(account, may_fail=True)
        assert account.failed == 0, account.words
        cluster.machines["db1"].lose_power()
        cluster.play("failover", *PROMOTE).ok()
        until(lambda: is_ready(cluster, "app1") and is_ready(cluster, "app2"), "both servers are ready")
        assert asyncio.run(uploaded(cluster)) is not None
        goes_on(account)
        assert account.failed == account.refused, account.words  # front and servers are up: 503 is all they may say
        step.note = f"{account.failed} refused until the replica was the primary"
    cluster.keep(account)
    fail_over_again(cluster)
    every_promise_is_kept(cluster)


def fail_over_again(cluster: Cluster) -> None:
    """A run that was interrupted before a server restarted is ended by the next one, which leaves the others alone."""
    with cluster.table.step("failover repeated, after one server did not restart"):
        cluster.machines["app1"].do("touch", CATALOGUE)
        before = {name: cluster.machines[name].main_pid("appliance") for name in SERVERS}
        assert cluster.play("failover", *PROMOTE).ok().changed == 1
        restarted = {name for name in SERVERS if cluster.machines[name].main_pid("appliance") != before[name]}
        assert restarted == {"app1"}


def bring_the_old_primary_back(cluster: Cluster) -> None:
    with cluster.table.step("the old primary is back, with an inventory from before"):
        cluster.machines["db1"].boot_again()
        cluster.machines["db1"].sh(STOPPED)
        assert cluster.variables.get("postgresql_primary", "db1") == "db1"
        recap = cluster.play("site")
        assert recap.status != 0
        assert "db2 is a primary with the catalogue" in recap.output, recap.output[-3000:]
        assert "down" in cluster.machines["db1"].do("pg_lsclusters", "--no-header").split()
    with cluster.table.step("the old primary is back, as it was"):
        cluster.variables["postgresql_primary"] = "db2"
        recap = cluster.play("site")
        assert recap.status != 0
        assert "db1 was the primary, and db2 is to be it" in recap.output, recap.output[-3000:]
    with (
        cluster.table.step("made a replica, after a first try was interrupted") as step,
        cluster.load(seed=64) as account,
    ):
        step.under(account)
        cluster.machines["db1"].sh(INTERRUPTED)
        cluster.play("site", "-e", "postgresql_rebuild=db1").ok()
        assert followers(cluster, "db2") == 1
    cluster.keep(account)


def followers(cluster: Cluster, primary: str) -> int:
    """How many replicas follow it that commits wait for."""
    return int(cluster.machines[primary].do("runuser", "-u", "postgres", "--", "psql", "-XqtAc", FOLLOWED))
