"""A node joins only what it belongs to, and says why it doesn't."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from appliance.catalogue.opening import open_catalogue
from appliance.catalogue.postgres import migrations, writing
from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.ownership import Ownership
from appliance.catalogue.sql import migration, schema
from appliance.catalogue.sql.migration import Migration, Schema
from appliance.catalogue.sql.nodes import NodeRows
from appliance.config.model import Config
from appliance.domain.clock import system_clock
from appliance.domain.errors import (
    ApplianceError,
    CatalogueUnavailable,
    NodeClockDiffers,
    NodeDirectoryInUse,
    NodeNameInUse,
    NodeSchemaDiffers,
    NodeSecretDiffers,
    NodeStoreDiffers,
    ObjectMissing,
    StoreUnavailable,
)
from appliance.membership.claiming import start_catalogue
from appliance.membership.store_proof import MARKER
from appliance.objectstore import ObjectStore, open_store
from tests.support.memberships import Told, node
from tests.support.nodes import node_config
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("at_once")


@contextmanager
def impatient() -> Iterator[None]:
    """A lock that is held isn't waited for. Otherwise it is: a session ends a moment after its node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "OWNED_WITHIN_S", 0)
        patch.setattr(writing, "PAUSE_S", 0)
        yield


async def refused(config: Config, **how: Any) -> ApplianceError:
    with pytest.raises(ApplianceError) as raised:
        async with node(config, **how):
            pass
    return raised.value


async def test_nodes_that_belong_together_know_each_other(one: Config, two: Config) -> None:
    async with node(one) as (catalogue, _):
        async with node(two):
            assert [known.is_alive for known in await catalogue.nodes.nodes()] == [True, True]
        assert [known.is_alive for known in await catalogue.nodes.nodes()] == [True, False]


async def test_a_node_with_another_secret_is_refused_while_others_run(one: Config, two: Config) -> None:
    stranger = replace(two, node=replace(two.node, secret="one that the other nodes do not have"))
    async with node(one):
        error = await refused(stranger)
        assert isinstance(error, NodeSecretDiffers)
        assert "box-1" in error.detail
    async with node(stranger):
        assert isinstance(await refused(one), NodeSecretDiffers)


async def test_of_two_first_starts_with_different_secrets_one_joins(
    one: Config, two: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_are_there, join = asyncio.Barrier(2), NodeRows.join

    async def join_together(*what: Any) -> None:
        await both_are_there.wait()
        await join(*what)

    monkeypatch.setattr(NodeRows, "join", join_together)
    stranger = replace(two, node=replace(two.node, secret="one that the other node does not have"))
    async with AsyncExitStack() as stack:
        starts = [stack.enter_async_context(node(config)) for config in (one, stranger)]
        outcomes = await asyncio.gather(*starts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [NodeSecretDiffers]


@pytest.mark.parametrize("ahead_s", [5, -5])
async def test_a_node_whose_clock_differs_is_refused(one: Config, ahead_s: int) -> None:
    error = await refused(one, clock=lambda: system_clock() + ahead_s)
    assert isinstance(error, NodeClockDiffers)
    assert "NTP" in error.detail


async def test_a_node_with_another_store_is_refused(one: Config, two: Config, tmp_path: Path) -> None:
    async with node(one):
        pass
    two.store_dir.unlink()
    error = await refused(two)
    assert isinstance(error, NodeStoreDiffers)
    assert f"{two.store_dir}" in error.detail
    async with node(one) as (catalogue, _):
        assert [known.name for known in await catalogue.nodes.nodes() if known.is_alive] == ["box-1"]


class Away:
    """A store that doesn't answer until it is `back`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.is_back = False

    def back(self) -> None:
        self.is_back = True

    def __getattr__(self, name: str) -> Any:
        if name == "start" and not self.is_back:
            raise StoreUnavailable("It is away.")
        return getattr(self._store, name)


async def test_a_store_that_is_away_is_waited_for_unless_it_is_known(one: Config) -> None:
    store = open_store(one.store, one.data_dir)
    away: Any = Away(store)
    waits = Told(away.back)
    async with node(one, tell=waits, store=away):
        assert waits.parts == ["store"]
    knows = Told()
    async with node(one, tell=knows, store=Away(store)):
        assert knows.parts == []
    await store.delete(MARKER)
    with pytest.raises(ObjectMissing):
        await store.stat(MARKER)
    assert isinstance(await refused(one, store=store), NodeStoreDiffers)
    await store.close()


async def test_a_name_is_for_one_node(one: Config, two: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    namesake = replace(two, node=replace(two.node, name="box-1"))
    async with node(one):
        with impatient():
            assert isinstance(await refused(namesake), NodeNameInUse)
    async with node(namesake):
        pass
    async with node(one):
        monkeypatch.setattr("appliance.catalogue.postgres.ownership.Ownership.claim", lambda *_: None)
        waits = Told()
        assert isinstance(await refused(namesake, tell=waits), NodeNameInUse)  # by its heartbeat, too
        assert waits.parts == ["node"]


@contextmanager
def former_session(config: Config) -> Iterator[None]:
    """What the database keeps of a killed process as long as the block lasts: a session that holds the node's name."""
    with psycopg.connect(config.catalogue.url or "", autocommit=True) as raw:
        assert Ownership(config.node.name).claim(PostgresConnection(raw)) is None
        yield


async def test_a_node_waits_for_the_session_of_its_former_process(one: Config) -> None:
    async with node(one):
        pass
    catalogue, told = open_catalogue(one), asyncio.Event()
    try:
        with impatient(), former_session(one):
            starting = asyncio.create_task(start_catalogue(catalogue, "box-1", Told(told.set)))
            await until(told.is_set, "a start that says what it waits for")
            assert not starting.done()
        await starting
    finally:
        await catalogue.stop()


async def test_a_node_does_not_wait_for_a_namesake_that_is_heard(one: Config, two: Config) -> None:
    catalogue = open_catalogue(replace(two, node=replace(two.node, name="box-1")))
    try:
        async with node(one):
            with impatient(), pytest.raises(NodeNameInUse):
                await start_catalogue(catalogue, "box-1", Told())
    finally:
        await catalogue.stop()


async def test_a_machine_that_was_copied_is_refused_while_the_first_one_runs(one: Config, two: Config) -> None:
    async with node(one):
        two.node_id_path.write_bytes(one.node_id_path.read_bytes())
        waits = Told()
        error = await refused(two, tell=waits)
        assert isinstance(error, NodeDirectoryInUse)
        assert "box-1" in error.detail
        assert waits.parts == ["node"]
    async with node(two):
        pass


async def test_a_server_that_is_alone_and_nodes_exclude_each_other(one: Config, two: Config) -> None:
    alone = replace(two, node=replace(two.node, listen=None))
    async with node(one):
        with impatient(), pytest.raises(CatalogueUnavailable, match="Another server"):
            await open_catalogue(alone).start()
    async with open_catalogue(alone):
        with impatient(), pytest.raises(CatalogueUnavailable, match=r"without node\.listen"):
            await open_catalogue(one).start()


def changed_by(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nodes that start from now on know one more change of the schema."""

    def change(db: Schema) -> None:
        db.execute(f"CREATE TABLE t{name[:4]} (a INTEGER)")

    known = [*schema.MIGRATIONS, Migration(name, change)]
    monkeypatch.setattr(migrations, "MIGRATIONS", known)
    monkeypatch.setattr(migration, "MIGRATIONS", known)


async def test_a_node_that_changes_the_schema_waits_until_older_ones_have_stopped(
    one: Config, two: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = node_config(tmp_path, "box-3", one.catalogue.url or "")
    async with node(one):
        changed_by(monkeypatch, "9998-more")
        async with node(two):
            pass
        changed_by(monkeypatch, "9999-other!")
        with impatient():
            error = await refused(three)
        assert isinstance(error, NodeSchemaDiffers)
        assert "9999-other!" in error.detail
    async with node(two), node(one):
        pass
    changed_by(monkeypatch, "9998-more")
    assert (await refused(one)).code == "catalogue-too-new"
