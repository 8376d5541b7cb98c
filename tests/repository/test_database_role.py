"""The role `postgresql` on real databases: what isn't the image host's is never removed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database_machines import DatabaseMachines, access_to

pytestmark = pytest.mark.long  # Ansible takes seconds of a core for a few tasks
IS_REPLICA = "SELECT pg_is_in_recovery()"
STANDBYS = "SELECT application_name || ' ' || sync_state FROM pg_stat_replication WHERE state = 'streaming'"


def fail_over(machines: DatabaseMachines) -> None:
    """Set both up, stop the primary, and promote the other one."""
    is_done, words = machines.play()
    assert is_done, words
    machines.primary.systemctl("stop")
    is_done, words = machines.promote()
    assert is_done, words


@pytest.fixture
def machines() -> Iterator[DatabaseMachines]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        both = DatabaseMachines(Path(folder))
        yield both
        both.stop()


def test_a_primary_keeps_the_databases_of_others_and_a_machine_without_data_follows_it(
    machines: DatabaseMachines,
) -> None:
    machines.primary.ask("CREATE DATABASE shop")
    machines.primary.ask("CREATE TABLE orders AS SELECT 7 AS number", "shop")
    is_done, words = machines.play()
    assert is_done, words
    assert machines.primary.ask("SELECT number FROM orders", "shop") == [7]
    assert machines.other.ask(IS_REPLICA) == [True]
    assert machines.other.ask("SELECT number FROM orders", "shop") == [7]
    assert [(path / "PG_VERSION").exists() for path in machines.other.put_aside()] == [True]

    machines.other.record.unlink()  # as if the run had ended before
    is_done, words = machines.play()
    assert is_done, words
    assert machines.other.record.exists()
    assert len(machines.other.put_aside()) == 1


@pytest.mark.parametrize(("database", "found"), [("shop", "database shop"), ("postgres", "table postgres.orders")])
def test_a_machine_with_data_of_its_own_becomes_a_replica_only_when_named(
    machines: DatabaseMachines, database: str, found: str
) -> None:
    machines.other.systemctl("start")
    if database != "postgres":
        machines.other.ask(f"CREATE DATABASE {database}")
    machines.other.ask("CREATE TABLE orders AS SELECT 7 AS number", database)
    machines.other.systemctl("stop")

    is_done, words = machines.play()
    assert not is_done
    assert f"its PostgreSQL has data of its own: {found}. A replica has" in " ".join(words.split()), words
    assert machines.other.ask("SELECT number FROM orders", database) == [7]
    assert machines.other.put_aside() == []

    is_done, words = machines.play(postgresql_rebuild="db2")
    assert is_done, words
    assert machines.other.ask(IS_REPLICA) == [True]
    assert [(path / "PG_VERSION").exists() for path in machines.other.put_aside()] == [True]


def test_no_commit_waits_for_a_clone_and_each_waits_for_the_replica_that_becomes_of_it(
    machines: DatabaseMachines,
) -> None:
    seen: set[object] = set()
    with machines.primary.watched(STANDBYS, seen):
        is_done, words = machines.play()
    assert is_done, words
    clones = {standby for standby in seen if str(standby).startswith("clone-")}
    assert clones == {"clone-db2 async"}
    assert machines.primary.ask(STANDBYS) == ["db2 quorum"]


def test_a_replica_is_promoted_while_another_is_silent_only_if_loss_is_accepted(machines: DatabaseMachines) -> None:
    is_done, words = machines.play()
    assert is_done, words
    machines.primary.systemctl("stop")

    is_done, words = machines.promote("db3")
    assert not is_done
    assert "db3 doesn't answer, and may have commits that db2 lacks" in " ".join(words.split()), words
    assert machines.other.ask(IS_REPLICA) == [True]

    is_done, words = machines.promote("db3", postgresql_accept_loss="true")
    assert is_done, words
    assert machines.other.ask(IS_REPLICA) == [False]


def test_the_only_replica_is_promoted_though_the_old_primary_is_silent(machines: DatabaseMachines) -> None:
    fail_over(machines)
    assert machines.other.ask(IS_REPLICA) == [False]


def test_the_primary_is_not_made_again(machines: DatabaseMachines) -> None:
    is_done, words = machines.play(postgresql_rebuild="db1")
    assert not is_done
    assert "db1 is the primary, so nothing could be copied to it" in " ".join(words.split()), words


def test_no_machine_becomes_a_second_primary_while_another_one_answers(machines: DatabaseMachines) -> None:
    fail_over(machines)

    is_done, words = machines.play()  # the inventory names the old one, which is back
    assert not is_done
    said = " ".join(words.split())
    assert "db2 is a primary with the catalogue's database, but the inventory names db1" in said, words
    assert "set postgresql_primary to db2, and add -e postgresql_rebuild=db1" in said
    assert not machines.primary.is_up()

    machines.primary.systemctl("start")  # as it does when its machine boots
    is_done, words = machines.play(postgresql_primary="db2")
    assert not is_done
    assert "db1 is a primary with the catalogue's database, but the inventory names db2" in " ".join(words.split())


def test_a_primary_that_serves_alone_is_not_made_a_replica_of_one_that_is_stopped(machines: DatabaseMachines) -> None:
    fail_over(machines)

    is_done, words = machines.play(postgresql_rebuild="db2")  # the inventory names the old one
    assert not is_done
    assert "stop PostgreSQL on db2 first: systemctl stop postgresql@15-main" in " ".join(words.split()), words
    assert not machines.primary.is_up()
    assert machines.other.ask(IS_REPLICA) == [False]

    machines.primary.systemctl("start")  # as it does when its machine boots; the servers know the other one alone
    is_done, words = machines.play(postgresql_rebuild="db2")
    assert not is_done
    said = " ".join(words.split())
    assert "db2, which you want to make a replica, is a primary" in said, words
    assert "and db1 is an older one (primary, timeline 00000001)" in said, words
    assert machines.other.ask(IS_REPLICA) == [False]

    is_done, words = machines.play(
        postgresql_primary="db2", postgresql_rebuild="db1", postgresql_access=access_to(machines.other)
    )
    assert is_done, words
    assert machines.primary.ask(IS_REPLICA) == [True]


def test_no_primary_is_started_while_another_machine_runs_and_does_not_say_what_it_is(
    machines: DatabaseMachines,
) -> None:
    fail_over(machines)
    rules = machines.other.data / "pg_hba.conf"
    rules.write_text(f"host all all all reject\n{rules.read_text()}")
    machines.other.ask("SELECT pg_reload_conf()")

    is_done, words = machines.play()
    assert not is_done
    assert "PostgreSQL runs on db2, but didn't say whether it is the primary" in " ".join(words.split()), words
    assert not machines.primary.is_up()


def test_a_new_machine_in_the_primarys_place_begins_no_second_catalogue(machines: DatabaseMachines) -> None:
    is_done, words = machines.play()
    assert is_done, words
    machines.primary.systemctl("stop")
    machines.primary.record.unlink()

    is_done, words = machines.play()
    assert not is_done
    assert "db2 is a replica with the catalogue's database, and db1 was never set up" in " ".join(words.split()), words
    assert not machines.primary.is_up()


def test_a_run_without_the_primary_touches_nothing(machines: DatabaseMachines) -> None:
    is_done, words = machines.play("db3", postgresql_primary="db3", postgresql_rebuild="db2")
    assert not is_done
    assert "db3, the primary, is not among the machines of this run" in " ".join(words.split()), words


def test_a_machine_that_does_not_answer_keeps_no_primary_from_being_set_up(machines: DatabaseMachines) -> None:
    is_done, words = machines.play("db3")
    said = " ".join(words.split())
    assert "db3 didn't say whether it is the primary: " in said, words
    assert "db2 didn't say whether it is the primary: " in said, words
    assert is_done, words
    assert machines.other.ask(IS_REPLICA) == [True]


def test_no_replica_is_promoted_while_a_primary_runs_that_it_can_not_reach(machines: DatabaseMachines) -> None:
    is_done, words = machines.play()
    assert is_done, words
    machines.cut_off(machines.primary)
    is_done, words = machines.promote()
    assert not is_done
    assert "db1 still answers. With two primaries" in " ".join(words.split()), words
    assert machines.other.ask(IS_REPLICA) == [True]


def test_no_replica_is_promoted_while_a_primary_is_followed_that_nobody_else_can_reach(
    machines: DatabaseMachines,
) -> None:
    is_done, words = machines.play()
    assert is_done, words
    machines.hide(machines.primary)
    is_done, words = machines.promote()
    assert not is_done
    assert "db2 still follows a primary, which answers nothing here" in " ".join(words.split()), words
    assert machines.other.ask(IS_REPLICA) == [True]

    is_done, words = machines.promote(postgresql_cut_off="true")
    assert is_done, words
    assert machines.other.ask(IS_REPLICA) == [False]
    assert machines.primary.ask(STANDBYS) == []
