"""What a node among others calls them with, and checks their calls by."""

from dataclasses import dataclass

from appliance.catalogue import NodeCatalogue
from appliance.domain.clock import Clock
from appliance.nodes.neighbours import Neighbours
from appliance.nodes.originals import NeighbourOriginals
from appliance.nodes.pulse import Pulse
from appliance.nodes.signatures import Signatures
from appliance.nodes.uploads import NeighbourUploads
from appliance.nodes.usage import NeighbourUsage
from appliance.spool import Spool


@dataclass(frozen=True, slots=True)
class Calls:
    """The parts of a node that talk to other nodes."""

    signatures: Signatures
    neighbours: Neighbours
    originals: NeighbourOriginals
    uploads: NeighbourUploads
    usage: NeighbourUsage

    @classmethod
    def of(cls, name: str, secret: str, *, rows: NodeCatalogue, pulse: Pulse, spool: Spool, clock: Clock) -> "Calls":
        """Those of the node with this name."""
        signatures = Signatures(secret, clock)
        neighbours = Neighbours(name, signatures=signatures, rows=rows, pulse=pulse)
        return cls(
            signatures,
            neighbours,
            NeighbourOriginals(neighbours),
            NeighbourUploads(neighbours, spool),
            NeighbourUsage(neighbours),
        )
