"""The configuration: frozen values with their defaults. `settings.py` reads them from file, environment and credentials."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from appliance.renditions import Format, Preset

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12


def _default_presets() -> tuple[Preset, ...]:
    return (Preset("thumbnail", 256), Preset("small", 512), Preset("medium", 1024), Preset("large", 2048))


@dataclass(frozen=True, slots=True)
class Server:
    listen: str = "127.0.0.1:8080"
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    metrics_listen: str | None = None

    @property
    def base_url(self) -> str:
        """Where absolute links start, without a slash at the end; never taken from a request."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")


@dataclass(frozen=True, slots=True)
class Store:
    kind: str = "directory"
    endpoint: str | None = None
    bucket: str = "images"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    secure: bool = True


@dataclass(frozen=True, slots=True)
class Uploads:
    max_bytes: int = 5 * TB  # S3's limit for one object
    max_pixels: int = 1_000_000_000
    ack_budget_s: float = 5.0
    idle_timeout_s: float = 60.0
    default_expiry_days: int = 365
    max_expiry_days: int = 730
    reserve_bytes: int = 2 * GB
    spool_bytes: int = 20 * GB
    concurrency: int = 512


@dataclass(frozen=True, slots=True)
class Renditions:
    presets: tuple[Preset, ...] = field(default_factory=_default_presets)
    formats: tuple[Format, ...] = tuple(Format)
    prewarm: tuple[str, ...] = ("thumbnail", "small", "medium", "large")
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    queue: int = 256
    deadline_s: float = 20.0
    memory_bytes: int = 512 * MB
    heavy_memory_bytes: int = 2 * GB

    def preset(self, name: str) -> Preset | None:
        return next((preset for preset in self.presets if preset.name == name), None)


@dataclass(frozen=True, slots=True)
class Cache:
    memory_bytes: int = 256 * MB
    disk_bytes: int = 20 * GB


@dataclass(frozen=True, slots=True)
class Config:
    """Everything in force. `data_dir` holds catalogue, spool, cache and, for the directory store, the objects."""

    data_dir: Path = Path("data")
    server: Server = field(default_factory=Server)
    store: Store = field(default_factory=Store)
    uploads: Uploads = field(default_factory=Uploads)
    renditions: Renditions = field(default_factory=Renditions)
    cache: Cache = field(default_factory=Cache)
