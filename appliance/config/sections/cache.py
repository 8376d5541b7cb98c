"""Section `cache`: how much memory and disk space caches may use."""

from dataclasses import dataclass, field

from appliance.config.option_info import info
from appliance.config.units import GB, MB


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Memory and disk space of caches."""

    memory_bytes: int = field(default=256 * MB, metadata=info("Memory cache for renditions.", minimum=0))
    disk_bytes: int = field(default=20 * GB, metadata=info("Disk cache for renditions.", minimum=0))
    tiles_memory_bytes: int = field(
        default=64 * MB, metadata=info("Memory cache for tiles of zoomed images.", minimum=0)
    )
    tiles_bytes: int = field(default=4 * GB, metadata=info("Disk cache for tiles of zoomed images.", minimum=0))
    pyramids_bytes: int = field(
        default=20 * GB,
        metadata=info("Disk cache for pyramids of large images. 0: none are built, and zooming is slow.", minimum=0),
    )

    @property
    def all_disk_bytes(self) -> int:
        """The disk space of all caches together."""
        return self.disk_bytes + self.tiles_bytes + self.pyramids_bytes
