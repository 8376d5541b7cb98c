"""The configuration: frozen values with their defaults, limits and help. `settings` reads them from file, environment
and credentials; nothing here touches the outside world.
"""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.domain.animation import Budget
from appliance.domain.renditions import Format, Preset

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
PURGES = ("none", "http", "cloudflare")
LOGO_ENDINGS = (".svg", ".png", ".webp")
MAX_LOGO_BYTES = 200_000
LOG_LEVELS = ("debug", "info", "warning", "error")

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one option beside its type. `least` and `most` are inclusive; a `secret` is never shown."""

    help: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False


def _about(
    help_text: str,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    *,
    secret: bool = False,
) -> dict[str, About]:
    return {"about": About(help_text, least, most, choices, secret)}


def _default_presets() -> tuple[Preset, ...]:
    return (Preset("thumbnail", 256), Preset("small", 512), Preset("medium", 1024), Preset("large", 2048))


def _cores() -> int:
    return os.cpu_count() or 1


def _heavy_memory_bytes() -> int:
    """3 GB takes the largest AVIF and a progressive JPEG of 400 million pixels in full colour; small machines less."""
    machine_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1 * GB, min(3 * GB, machine_bytes // 4))


def split_listen(listen: str) -> tuple[str, int]:
    """Host (IPv6 without its brackets) and port (0 to 65535; 0 lets the kernel choose) of `host:port`.

    Raises ValueError when it has another shape.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(listen)
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens, and how the world outside names it."""

    listen: str = field(
        default="127.0.0.1:8080",
        metadata=_about("Address and port to serve on, `host:port`; IPv6 as `[::1]:8080`. Port 0 uses any free port."),
    )
    public_url: str | None = field(
        default=None,
        metadata=_about("Base of absolute links, such as `https://img.example`. Default: derived from `listen`."),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_about("Addresses or networks whose X-Forwarded-For and X-Request-ID are trusted."),
    )
    metrics_listen: str | None = field(
        default=None,
        metadata=_about("Address and port for Prometheus metrics, `host:port`. Unset: no metrics."),
    )
    log_level: str = field(
        default="info",
        metadata=_about("Minimum log level.", choices=LOG_LEVELS),
    )

    @property
    def base_url(self) -> str:
        """Where absolute links start, without a slash at the end; never taken from a request."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")


@dataclass(frozen=True, slots=True)
class Store:
    """Where originals are kept for good."""

    kind: str = field(
        default="directory",
        metadata=_about(
            "`directory` stores objects below `data_dir`; `minio` uses MinIO or any S3 store.",
            choices=("directory", "minio"),
        ),
    )
    endpoint: str | None = field(
        default=None, metadata=_about("`host:port` of the store, without `http://`. Required for `minio`.")
    )
    bucket: str = field(default="images", metadata=_about("The bucket for images. It is created if it doesn't exist."))
    access_key: str | None = field(
        default=None,
        repr=False,
        metadata=_about("The store's access key. Best set as the credential `store_access_key`.", secret=True),
    )
    secret_key: str | None = field(
        default=None,
        repr=False,
        metadata=_about("The store's secret key. Best set as the credential `store_secret_key`.", secret=True),
    )
    secure: bool = field(default=True, metadata=_about("Whether to use TLS to connect to the store."))
    region: str = field(
        default="us-east-1",
        metadata=_about("The store's region, which is part of every signature. MinIO's default is `us-east-1`."),
    )


@dataclass(frozen=True, slots=True)
class Uploads:
    """What is taken, for how long it is kept, and how much room it may use on its way."""

    max_bytes: int = field(
        default=0,
        metadata=_about("The largest file that can be uploaded. 0: as large as the store and the disk allow.", least=0),
    )
    max_pixels: int = field(
        default=1_000_000_000,
        metadata=_about(
            "Largest image to resize, in pixels (width x height). Of larger ones only the original is kept.", 1
        ),
    )
    ack_budget_s: float = field(
        default=5.0,
        metadata=_about("How long the response to an upload waits for the store, in seconds.", least=0, most=9),
    )
    idle_timeout_s: float = field(
        default=60.0,
        metadata=_about(
            "How long an upload may stall, in seconds. Over five times that, it must average 1 KB/s.",
            least=0.1,
            most=86_400,
        ),
    )
    default_expiry_days: int = field(
        default=365,
        metadata=_about("How long an image is kept unless the uploader chooses otherwise, in days.", 1, 36_500),
    )
    max_expiry_days: int = field(
        default=730, metadata=_about("The longest expiry an uploader can choose, in days.", least=1, most=36_500)
    )
    reserve_bytes: int = field(
        default=2 * GB,
        metadata=_about("Disk space that uploads never use. When only this is left, uploads are refused.", least=0),
    )
    spool_bytes: int = field(
        default=20 * GB,
        metadata=_about("How much space the spool may use for local copies of stored originals.", least=0),
    )
    concurrency: int = field(
        default=512, metadata=_about("Maximum number of simultaneous uploads.", least=1, most=100_000)
    )
    unfinished_hours: float = field(
        default=24.0,
        metadata=_about(
            "How long a resumable upload may stay idle before it expires, in hours.",
            least=0.01,
            most=8760,
        ),
    )
    max_unfinished: int = field(
        default=100_000, metadata=_about("Maximum number of unfinished resumable uploads.", 1, 10_000_000)
    )


@dataclass(frozen=True, slots=True)
class Renditions:
    """Which sizes and formats are made, when, and with how much of the machine."""

    presets: tuple[Preset, ...] = field(
        default_factory=_default_presets,
        metadata=_about(
            "Sizes: a name and the side of the square box that images are fitted into, in pixels.", 1, 16_384
        ),
    )
    formats: tuple[Format, ...] = field(
        default=tuple(Format),
        metadata=_about("Formats of renditions.", choices=tuple(Format)),
    )
    prewarm: tuple[str, ...] = field(
        default=("thumbnail", "small", "medium", "large"),
        metadata=_about("Presets rendered right after an upload. Empty: all are rendered on demand."),
    )
    workers: int = field(
        default_factory=_cores,
        metadata=_about(
            "Images decoded at once, each in its own process. One more runs for a view that another client's work"
            " would keep waiting.",
            least=1,
            most=1024,
        ),
    )
    queue: int = field(
        default=256,
        metadata=_about("Maximum number of queued renditions; beyond it, viewers are asked to retry.", 1, 1_000_000),
    )
    deadline_s: float = field(
        default=20.0, metadata=_about("Time limit for one rendition, in seconds.", least=0.1, most=3600)
    )
    memory_bytes: int = field(default=512 * MB, metadata=_about("Memory limit of one ordinary decode.", least=64 * MB))
    heavy_memory_bytes: int = field(
        default_factory=_heavy_memory_bytes,
        metadata=_about("Memory limit of an expensive decode. Only one of these runs at a time.", least=64 * MB),
    )

    pyramid_pixels: int = field(
        default=24_000_000,
        metadata=_about(
            "Images with more pixels than this are zoomed using a pyramid, which is built once.", least=1_000_000
        ),
    )
    max_area: int = field(
        default=25_000_000,
        metadata=_about(
            "Maximum pixels of one JPEG from the IIIF Image API. Slower formats are limited further: WebP to half  "
            "of it, AVIF and PNG to a quarter, GIF to a sixteenth; each always allows a tile of 512 x 512.",
            least=512 * 512,
            most=400_000_000,
        ),
    )
    animation_frames: int = field(
        default=1000,
        metadata=_about("Maximum frames of an animated size. Longer animations show their first frame.", 1),
    )
    animation_pixels: int = field(
        default=75_000_000,
        metadata=_about(
            "Maximum pixels of an animated size, over all frames; GIF pixels count five times. Larger animations show  "
            "their first frame.",
            least=0,
        ),
    )

    def preset(self, name: str) -> Preset | None:
        return next((preset for preset in self.presets if preset.name == name), None)

    @property
    def animation_budget(self) -> Budget:
        return Budget(self.animation_frames, self.animation_pixels)


@dataclass(frozen=True, slots=True)
class Albums:
    """What albums may hold."""

    max_images: int = field(default=500, metadata=_about("Maximum number of images in an album.", least=1, most=2000))


@dataclass(frozen=True, slots=True)
class Cache:
    """How much of the machine finished renditions may occupy."""

    memory_bytes: int = field(default=256 * MB, metadata=_about("Memory cache for renditions.", least=0))
    disk_bytes: int = field(default=20 * GB, metadata=_about("Disk cache for renditions.", least=0))
    tiles_memory_bytes: int = field(
        default=64 * MB, metadata=_about("Memory cache for tiles of zoomed images.", least=0)
    )
    tiles_bytes: int = field(default=4 * GB, metadata=_about("Disk cache for tiles of zoomed images.", least=0))
    pyramids_bytes: int = field(
        default=20 * GB,
        metadata=_about("Disk cache for pyramids of large images. 0: none are built, and zooming is slow.", least=0),
    )

    @property
    def all_disk_bytes(self) -> int:
        return self.disk_bytes + self.tiles_bytes + self.pyramids_bytes


@dataclass(frozen=True, slots=True)
class Cdn:
    """The shared caches in front of this host, and how they are told to forget an image."""

    purge: str = field(
        default="none",
        metadata=_about(
            "How shared caches are purged: `http` sends PURGE requests, which Varnish accepts with the VCL in  "
            "docs/cdn.md; `cloudflare` calls its API. With `none`, they cache images no longer than browsers do.",
            choices=PURGES,
        ),
    )
    urls: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "Caches that receive PURGE requests, each by its own address, such as `http://127.0.0.1:6081`."
        ),
    )
    zone: str | None = field(default=None, metadata=_about("Cloudflare zone ID."))
    token: str | None = field(
        default=None,
        repr=False,
        metadata=_about(
            "A Cloudflare API token that can purge the zone's cache. Best set as the credential `cdn_token`.",
            secret=True,
        ),
    )
    api_url: str = field(
        default="https://api.cloudflare.com/client/v4", metadata=_about("Base URL of the Cloudflare API.")
    )
    shared_max_age_s: int = field(
        default=30 * 86_400,
        metadata=_about(
            "How long shared caches may keep an image if `purge` is set, in seconds; never past its expiry.",
            least=0,
            most=366 * 86_400,
        ),
    )

    @property
    def is_purged(self) -> bool:
        """Whether shared caches can be told to forget."""
        return self.purge != "none"


@dataclass(frozen=True, slots=True)
class Site:
    """How the pages present themselves: whose host this is, and what its law asks for."""

    name: str | None = field(
        default=None, metadata=_about("Name of the site. Default: the host in `server.public_url`.")
    )
    logo: Path | None = field(default=None, metadata=_about("Logo: an SVG, PNG or WebP file of up to 200 KB."))
    accent: str | None = field(
        default=None,
        metadata=_about("Colour of links and buttons, such as `#0c6b64`. Each theme adjusts it for contrast."),
    )
    imprint_url: str | None = field(default=None, metadata=_about("Link to the imprint in the page footer."))
    privacy_url: str | None = field(default=None, metadata=_about("Link to the privacy policy in the page footer."))
    report: str | None = field(
        default=None,
        metadata=_about("Where to report an image: an email address, or a URL with `{url}` for the page."),
    )


@dataclass(frozen=True, slots=True)
class Backup:
    """Where `appliance backup` brings the catalogue and what the store does not have yet, and for how long."""

    in_store: bool = field(
        default=True, metadata=_about("Whether to store backups in the object store too, under `backups/`.")
    )
    directory: Path | None = field(
        default=None, metadata=_about("A folder for backups, best on a different disk from `data_dir`.")
    )
    remote: str | None = field(
        default=None, metadata=_about("A second place as an rclone path: `name:bucket/folder`. Requires rclone.")
    )
    rclone_config: Path | None = field(
        default=None,
        metadata=_about("The rclone configuration. Default: the credential `rclone_config`, or rclone's own default."),
    )
    age_recipients: tuple[str, ...] = field(
        default=(),
        metadata=_about("Public keys that backups are encrypted for: age (`age1…`) or SSH. Empty: no encryption."),
    )
    age_identity: Path | None = field(
        default=None,
        metadata=_about("Secret age keys for restore and verify. Default: the credential `age_identity`."),
    )
    remote_write_only: bool = field(
        default=False,
        metadata=_about(
            "Whether the second place's key can only write. Nothing is then listed, opened or removed there, and old  "
            "backups expire by the place's own rules."
        ),
    )
    signing_key: Path | None = field(
        default=None,
        metadata=_about(
            "The private OpenSSH key that signs backups, without a passphrase. Default: the credential "
            "`backup_signing_key`. Without either, backups are not signed."
        ),
    )
    signers: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "Public OpenSSH keys (`ssh-ed25519 AAAA…`) whose backups restore and verify trust; unsigned ones are  "
            "refused. Default: the public key of the signing key, if there is one."
        ),
    )
    keep_daily: int = field(default=14, metadata=_about("Number of daily backups to keep.", 1, 36_500))
    keep_weekly: int = field(default=8, metadata=_about("Number of weekly backups to keep.", 0, 5_200))


@dataclass(frozen=True, slots=True)
class Config:
    """Everything in force. `data_dir` holds catalogue, spool, cache and, for the directory store, the objects."""

    data_dir: Path = field(default=Path("data"), metadata=_about("The directory for all local data."))
    server: Server = field(default_factory=Server)
    store: Store = field(default_factory=Store)
    uploads: Uploads = field(default_factory=Uploads)
    renditions: Renditions = field(default_factory=Renditions)
    albums: Albums = field(default_factory=Albums)
    cache: Cache = field(default_factory=Cache)
    cdn: Cdn = field(default_factory=Cdn)
    site: Site = field(default_factory=Site)
    backup: Backup = field(default_factory=Backup)

    def taking_at_most(self, most_bytes: int) -> "Config":
        """The same, for a store and a disk whose files have no more bytes than that."""
        max_bytes = min(self.uploads.max_bytes or most_bytes, most_bytes)
        return replace(self, uploads=replace(self.uploads, max_bytes=max_bytes))

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    @property
    def sidecars_dir(self) -> Path:
        """What is kept of images for a rebuild until the store has it."""
        return self.spool_dir / "sidecars"

    @property
    def cache_dir(self) -> Path:
        return self.data_dir / "cache"

    @property
    def store_dir(self) -> Path:
        """Where the directory store keeps its objects."""
        return self.data_dir / "store"

    @property
    def backups_dir(self) -> Path:
        """Where backups are made and verified, and what the last of each came to."""
        return self.data_dir / "backups"

    @property
    def restore_dir(self) -> Path:
        """There while a restore is at work, or was ended by a crash."""
        return self.data_dir / "restore"

    @property
    def control_path(self) -> Path:
        return self.data_dir / "control.sock"

    @property
    def lock_path(self) -> Path:
        return self.data_dir / "lock"
