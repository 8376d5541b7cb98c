"""This node among those that share a catalogue, and whether bytes that a row names are here."""

from dataclasses import dataclass


class BytesElsewhere(Exception):
    """The bytes that a request is about are in the spool of another node, which has to answer it."""

    def __init__(self, node: str) -> None:
        super().__init__(f"the bytes are on the node {node}")
        self.node = node


@dataclass(frozen=True, slots=True)
class ThisNode:
    """This node, by the name that rows have for it. Without a name it is alone, and has whatever there is."""

    name: str | None = None

    def has(self, node: str | None) -> bool:
        """Whether bytes that a row says are on `node` are here. A row that names none has yet to be claimed."""
        return self.name is None or node == self.name

    def lacks(self, node: str | None) -> bool:
        """Whether bytes that a row says are on `node` are known to be on another one."""
        return node is not None and not self.has(node)

    def require(self, node: str | None) -> None:
        """Raises BytesElsewhere if the bytes are known to be on another node."""
        if node is not None and self.lacks(node):
            raise BytesElsewhere(node)
