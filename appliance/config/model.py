"""The configuration: every section, and the paths that follow from it. Nothing here touches the outside world."""

import hmac
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.config.option_info import OptionInfo, info
from appliance.config.sections.access import ANYONE, KEY, SIGNED_IN, Access
from appliance.config.sections.albums import AlbumsConfig
from appliance.config.sections.backup import Backup
from appliance.config.sections.cache import CacheConfig
from appliance.config.sections.catalogue import CatalogueConfig
from appliance.config.sections.cdn import PURGES, Cdn
from appliance.config.sections.deletion import Deletion
from appliance.config.sections.limits import LimitsConfig
from appliance.config.sections.node import MIN_SECRET_CHARS, NodeConfig
from appliance.config.sections.renditions import Renditions
from appliance.config.sections.server import LOG_LEVELS, Server, counted_on, is_loopback, split_listen
from appliance.config.sections.site import LOGO_ENDINGS, MAX_LOGO_BYTES, Site
from appliance.config.sections.store import Store
from appliance.config.sections.uploads import Uploads
from appliance.config.units import GB, KB, MB, TB

__all__ = [
    "ANYONE",
    "GB",
    "KB",
    "KEY",
    "LOGO_ENDINGS",
    "LOG_LEVELS",
    "MAX_LOGO_BYTES",
    "MB",
    "MIN_SECRET_CHARS",
    "PURGES",
    "SIGNED_IN",
    "TB",
    "Access",
    "AlbumsConfig",
    "Backup",
    "CacheConfig",
    "CatalogueConfig",
    "Cdn",
    "Config",
    "Deletion",
    "LimitsConfig",
    "NodeConfig",
    "OptionInfo",
    "Renditions",
    "Server",
    "Site",
    "Store",
    "Uploads",
    "counted_on",
    "is_loopback",
    "split_listen",
]


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `data_dir` holds catalogue, spool, cache and, for the directory store, the objects."""

    data_dir: Path = field(default=Path("data"), metadata=info("The directory for all local data."))
    server: Server = field(default_factory=Server)
    store: Store = field(default_factory=Store)
    catalogue: CatalogueConfig = field(default_factory=CatalogueConfig)
    node: NodeConfig = field(default_factory=NodeConfig)
    access: Access = field(default_factory=Access)
    uploads: Uploads = field(default_factory=Uploads)
    renditions: Renditions = field(default_factory=Renditions)
    albums: AlbumsConfig = field(default_factory=AlbumsConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    cdn: Cdn = field(default_factory=Cdn)
    deletion: Deletion = field(default_factory=Deletion)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    site: Site = field(default_factory=Site)
    backup: Backup = field(default_factory=Backup)

    def limited_to(self, max_file_bytes: int) -> "Config":
        """The same, with uploads limited to files that the store and the disk can hold."""
        max_bytes = min(self.uploads.max_bytes or max_file_bytes, max_file_bytes)
        return replace(self, uploads=replace(self.uploads, max_bytes=max_bytes))

    @property
    def limits_on(self) -> bool:
        """Whether clients are limited: unless only this machine's own programs can ask."""
        if self.limits.mode != "auto":
            return self.limits.mode == "on"
        addresses = (self.server.listen, self.server.process_listen or self.server.listen)
        return bool(self.server.trusted_proxies) or not all(map(is_loopback, addresses))

    @property
    def limits_wait_for_proxy(self) -> bool:
        """Whether limits are off until a proxy on this machine forwards a request: it makes the host open to others."""
        return self.limits.mode == "auto" and not self.limits_on

    @property
    def is_node(self) -> bool:
        """Whether this server is one of several that share a catalogue and a store."""
        return self.node.listen is not None

    def node_key(self, purpose: str) -> str | None:
        """A secret for one purpose, in hex, which all nodes have alike; None for a server that is alone."""
        if self.node.listen is None or self.node.secret is None:
            return None
        return hmac.digest(self.node.secret.encode(), purpose.encode(), "sha256").hex()

    @property
    def node_secret_path(self) -> Path:
        """The secret that several processes on this machine make for themselves where `node.secret` is not set."""
        return self.data_dir / "node.secret"

    @property
    def node_id_path(self) -> Path:
        """The random id of this data directory, by which a node that was restarted is distinguished from a namesake."""
        return self.data_dir / "node.id"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    @property
    def process_dirs(self) -> list[Path]:
        """The data directories of the processes that share this one, or once did."""
        found = [path for path in self.data_dir.glob("node-*") if path.name.removeprefix("node-").isdecimal()]
        return sorted(path for path in found if path.is_dir())

    @property
    def spool_dirs(self) -> list[Path]:
        """The spools of this machine: this server's, and those of its processes."""
        return [self.spool_dir, *(folder / self.spool_dir.name for folder in self.process_dirs)]

    @property
    def sidecars_dir(self) -> Path:
        """Records of images that the store doesn't have yet, for a rebuild."""
        return self.spool_dir / "sidecars"

    @property
    def cache_dir(self) -> Path:
        return self.data_dir / "cache"

    @property
    def store_dir(self) -> Path:
        """The objects of the directory store."""
        return self.data_dir / "store"

    @property
    def backups_dir(self) -> Path:
        """Where backups are made and verified, and the results of the last ones."""
        return self.data_dir / "backups"

    @property
    def restore_dir(self) -> Path:
        """Exists while a restore runs, or after one crashed."""
        return self.data_dir / "restore"

    @property
    def control_path(self) -> Path:
        return self.data_dir / "control.sock"

    @property
    def day_key_path(self) -> Path:
        """The key of the day, which no backup has."""
        return self.data_dir / "day.key"
