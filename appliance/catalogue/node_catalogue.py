"""The port of nodes and leases."""

from typing import Protocol

from appliance.domain.nodes import JobLease, Node


class NodeCatalogue(Protocol):
    """The servers that share this catalogue, and what only one of them may do at a time. Times are the database's."""

    async def now(self) -> float:
        """The database's time, in unix seconds."""

    async def join(self, node: Node, secret_proof: str) -> None:
        """Add the node, or bring its row up to this start. Its leases of before are released.

        `secret_proof` is a code that only who has the nodes' secret can make. The secret can be changed while no other
        node is alive: then the proof replaces the one before.

        Raises NodeSecretDiffers; NodeNameInUse while a node of that name with another `home` is alive;
        NodeDirectoryInUse while one of another name with this `home` is.
        """

    async def beat(self, name: str) -> None:
        """The node is alive."""

    async def leave(self, name: str) -> None:
        """The node stops in good order: its leases are released. Its row stays, because rows may name it."""

    async def forget(self, name: str) -> None:
        """Remove a node that is gone. Raises CommandFailed for one that is alive, unknown, or alone has originals."""

    async def only_on(self, name: str, limit: int = 500) -> list[str]:
        """Images whose original only this node has, which is gone: those that live, or if there are none, that can be
        restored. Raises CommandFailed for a node that is alive or unknown.
        """

    async def restorable_on(self, name: str, limit: int = 10_000) -> list[str]:
        """Images that have ended and can be restored, and whose original only this node has; soonest erased first."""

    async def nodes(self) -> list[Node]:
        """Every node, dead ones and those that left included, by name."""

    async def acquire(self, lease: str, node: str, for_s: int) -> bool:
        """Take the lease, or make it last longer. False while another node that is alive holds it."""

    async def release(self, lease: str, node: str) -> None:
        """Give the lease back. It is no error if the node doesn't hold it."""

    async def leases(self) -> list[JobLease]:
        """The leases that hold, by name."""
