"""What a node among others needs, so that its unfinished uploads survive it, and to continue those of others."""

from dataclasses import dataclass

from appliance.catalogue import Catalogue
from appliance.domain.clock import Clock
from appliance.nodes.calls import Calls
from appliance.nodes.neighbours import Neighbours
from appliance.nodes.uploads import NeighbourUploads
from appliance.objectstore.observed import ObservedStore
from appliance.resumable.segment_writer import SegmentWriter
from appliance.resumable.segments import Segments
from appliance.spool import Spool


@dataclass(frozen=True, slots=True)
class AmongNodes:
    """The other nodes, and the segments in the store that all of them share.

    `since_s` is when this node's data directory was made, in unix seconds: it has no file of an older upload.
    """

    neighbours: Neighbours
    uploads: NeighbourUploads
    segments: Segments
    writer: SegmentWriter
    since_s: float

    @classmethod
    def of(
        cls,
        calls: Calls,
        *,
        since_s: float,
        segment_bytes: int,
        store: ObservedStore,
        spool: Spool,
        catalogue: Catalogue,
        clock: Clock,
    ) -> "AmongNodes":
        """Those of the node that makes these calls."""
        segments = Segments(store, spool)
        writer = SegmentWriter(
            segment_bytes,
            store=store,
            segments=segments,
            files=spool.uploads,
            rows=catalogue.uploads,
            images=catalogue.images,
            clock=clock,
        )
        return cls(calls.neighbours, calls.uploads, segments, writer, since_s)
