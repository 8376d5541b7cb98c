"""A process's place among several: its number, who started it, and the sockets it inherits."""

import socket
from dataclasses import dataclass, replace

from appliance.config.model import Config
from appliance.processes.share import node_address, node_secret, share_of
from appliance.server.systemd import Supervisor


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """A process's place. Sockets are file descriptors: those that all share, and its own for the other nodes."""

    number: int
    parent: int
    sockets: tuple[int, ...]
    node_socket: int

    @classmethod
    def parse(cls, text: str) -> "ProcessPlace":
        """What `str` wrote. Raises ValueError."""
        number, parent, sockets, node_socket = text.split(":")
        return cls(int(number), int(parent), tuple(map(int, sockets.split(","))), int(node_socket))

    def __str__(self) -> str:
        return f"{self.number}:{self.parent}:{','.join(map(str, self.sockets))}:{self.node_socket}"

    def inherited(self, supervisor: Supervisor) -> Supervisor:
        """The same with the sockets of this place. Call it once: they belong to what it returns."""
        return replace(
            supervisor,
            sockets=tuple(map(_adopted, self.sockets)),
            node_sockets=(_adopted(self.node_socket),),
            head=self.parent,
        )

    def share(self, config: Config, inherited: Supervisor) -> Config:
        """This process's configuration, made from that of all. Raises UnfitInstallation."""
        listen = node_address(config, self.number, inherited.node_sockets[0])
        return share_of(config, self.number, node_listen=listen, secret=node_secret(config))


def _adopted(descriptor: int) -> socket.socket:
    one = socket.socket(fileno=descriptor)
    one.set_inheritable(False)
    one.setblocking(False)
    return one
