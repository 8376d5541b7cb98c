"""The rows of nodes and leases."""

from dataclasses import asdict, replace
from typing import Any

from appliance.catalogue.sql import node_statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.notes import get_note, set_note
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.schema import MIGRATIONS
from appliance.catalogue.sql.unshipped_statements import UNSHIPPED_SLUGS
from appliance.catalogue.sql.writer import Writer
from appliance.domain.errors import CommandFailed, NodeDirectoryInUse, NodeNameInUse, NodeSecretDiffers
from appliance.domain.nodes import DEAD_AFTER_S, JobLease, Node

SECRET_PROOF = "nodes/secret"  # noqa: S105 - the name of a note
"""The note with the proof of the nodes' secret."""
_ALIVE = {"dead_after_s": DEAD_AFTER_S}


class NodeRows:
    """A `NodeCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def now(self) -> float:
        return await self._readers.run(_now)

    async def join(self, node: Node, secret_proof: str) -> None:
        await self._writer.run(lambda connection: _join(connection, node, secret_proof))

    async def beat(self, name: str) -> None:
        await self._writer.run(lambda connection: _change(connection, sql.BEAT, name=name))

    async def leave(self, name: str) -> None:
        await self._writer.run(lambda connection: _leave(connection, name))

    async def forget(self, name: str) -> None:
        await self._writer.run(lambda connection: _forget(connection, name))

    async def only_on(self, name: str, limit: int = 500) -> list[str]:
        return await self._readers.run(_only_on, name, limit)

    async def restorable_on(self, name: str, limit: int = 10_000) -> list[str]:
        return await self._readers.run(_restorable_on, name, limit)

    async def nodes(self) -> list[Node]:
        return await self._readers.run(_nodes)

    async def acquire(self, lease: str, node: str, for_s: int) -> bool:
        return await self._writer.run(lambda connection: _acquire(connection, lease, node, for_s))

    async def release(self, lease: str, node: str) -> None:
        await self._writer.run(lambda connection: _change(connection, sql.RELEASE, name=lease, node=node))

    async def leases(self) -> list[JobLease]:
        return await self._readers.run(_leases)


def _now(connection: Connection) -> float:
    return float(connection.execute(sql.NOW).fetchone()[0])


def _join(connection: Connection, node: Node, secret_proof: str) -> Outcome[None]:
    _require_secret(connection, node, secret_proof)
    values = asdict(node) | {"schema": MIGRATIONS[-1].name} | _ALIVE
    if connection.execute(sql.NAMESAKE, values).fetchone():
        raise NodeNameInUse(
            f"Another server is the node {node.name}, and is running. Give this one a name of its own (node.name)."
        )
    if (twin := connection.execute(sql.TWIN, values).fetchone()) is not None:
        raise NodeDirectoryInUse(
            f"The node {twin[0]} runs with this data directory, or this one is a copy of its own (both have the same "
            "node.id). Start this node with an empty data directory; what was copied is that node's."
        )
    connection.execute(sql.JOIN, values)
    connection.execute(sql.RELEASE_ALL, {"node": node.name})
    return Outcome(None)


def _require_secret(connection: Connection, node: Node, proof: str) -> None:
    known = get_note(connection, SECRET_PROOF)
    if known == proof:
        return
    others = [other.name for other in _nodes(connection) if other.is_alive and other.name != node.name]
    if known is not None and others:
        raise NodeSecretDiffers(
            f"The secret of this node is not that of {', '.join(others)}. Set the same node.secret on all nodes; "
            "to change it, stop all of them first."
        )
    set_note(connection, SECRET_PROOF, proof)


def _leave(connection: Connection, name: str) -> Outcome[None]:
    connection.execute(sql.LEAVE, {"name": name})
    connection.execute(sql.RELEASE_ALL, {"node": name})
    return Outcome(None)


def _forget(connection: Connection, name: str) -> Outcome[None]:
    _require_gone(connection, name)
    if _only_on(connection, name, 1):
        raise CommandFailed(
            f"Originals of images are on the node {name} alone. Start it with its data directory, so that it brings "
            "them to the store. Those of images that have ended stay there for as long as these can be restored."
        )
    return _change(connection, sql.FORGET_NODE, name=name)


def _require_gone(connection: Connection, name: str) -> None:
    node = next((node for node in _nodes(connection) if node.name == name), None)
    if node is None:
        raise CommandFailed(f"There is no node {name!r:.80}. See `appliance status`.")
    if node.is_alive:
        raise CommandFailed(f"The node {name} is running. Stop it first.")


def _only_on(connection: Connection, name: str, limit: int) -> list[str]:
    _require_gone(connection, name)
    found = [slug for (slug,) in connection.execute(UNSHIPPED_SLUGS, {"node": name, "limit": limit})]
    return found or _restorable_on(connection, name, limit)


def _restorable_on(connection: Connection, name: str, limit: int) -> list[str]:
    values = {"node": name, "limit": limit}
    return [slug for (slug,) in connection.execute(sql.RESTORABLE_OF_NODE, values)]


def _nodes(connection: Connection) -> list[Node]:
    return [_node(*row) for row in connection.execute(sql.NODES)]


def _node(*columns: Any) -> Node:  # noqa: ANN401 - a row
    *known, left_at = columns
    return replace(Node(*known), has_left=left_at is not None)


def _acquire(connection: Connection, lease: str, node: str, for_s: int) -> Outcome[bool]:
    values = {"name": lease, "node": node, "for_s": for_s} | _ALIVE
    return Outcome(connection.execute(sql.ACQUIRE, values).rowcount == 1)


def _leases(connection: Connection) -> list[JobLease]:
    return [JobLease(*row) for row in connection.execute(sql.LEASES, _ALIVE)]


def _change(connection: Connection, statement: str, **values: str) -> Outcome[None]:
    connection.execute(statement, values)
    return Outcome(None)
