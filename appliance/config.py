"""The configuration: frozen values with their defaults, limits and help. `settings` reads them from file, environment
and credentials; nothing here touches the outside world.
"""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.renditions import Format, Preset

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
PURGES = ("none", "http", "cloudflare")
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
        metadata=_about("Address and port to serve on, `host:port`; IPv6 as `[::1]:8080`. Port 0 takes a free one."),
    )
    public_url: str | None = field(
        default=None,
        metadata=_about("Where absolute links start, such as `https://img.example`. Unset, it follows `listen`."),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_about("Addresses or networks whose X-Forwarded-For and X-Request-ID are believed."),
    )
    metrics_listen: str | None = field(
        default=None,
        metadata=_about("Address and port of the Prometheus metrics, `host:port`. Unset, there are none."),
    )
    log_level: str = field(
        default="info",
        metadata=_about("The least weighty lines that are logged.", choices=LOG_LEVELS),
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
            "`directory` keeps objects below `data_dir`; `minio` talks to MinIO or any S3.",
            choices=("directory", "minio"),
        ),
    )
    endpoint: str | None = field(
        default=None, metadata=_about("`host:port` of the store, without `http://`. Needed for `minio`.")
    )
    bucket: str = field(
        default="images", metadata=_about("The bucket for the images. It is created where it is missing.")
    )
    access_key: str | None = field(
        default=None,
        repr=False,
        metadata=_about("The store's access key. Best given as the credential `store_access_key`.", secret=True),
    )
    secret_key: str | None = field(
        default=None,
        repr=False,
        metadata=_about("The store's secret key. Best given as the credential `store_secret_key`.", secret=True),
    )
    secure: bool = field(default=True, metadata=_about("Whether the store is spoken to with TLS."))


@dataclass(frozen=True, slots=True)
class Uploads:
    """What is taken, for how long it is kept, and how much room it may use on its way."""

    max_bytes: int = field(
        default=0,
        metadata=_about("The largest file that is taken. 0: as large as the store and the disk can hold one.", least=0),
    )
    max_pixels: int = field(
        default=1_000_000_000,
        metadata=_about("The most pixels (width x height) that are decoded; beyond, only the original is kept.", 1),
    )
    ack_budget_s: float = field(
        default=5.0,
        metadata=_about("How long the reply to an upload waits for the store, in seconds.", least=0, most=9),
    )
    idle_timeout_s: float = field(
        default=60.0,
        metadata=_about(
            "How long an upload may stand still, in seconds. Over five such times it brings 1 KB a second at least.",
            least=0.1,
            most=86_400,
        ),
    )
    default_expiry_days: int = field(
        default=365,
        metadata=_about("How long an image is kept unless its uploader asks otherwise, in days.", 1, 36_500),
    )
    max_expiry_days: int = field(
        default=730, metadata=_about("The longest that an uploader may ask for, in days.", least=1, most=36_500)
    )
    reserve_bytes: int = field(
        default=2 * GB, metadata=_about("Room on the disk that uploads never use; beyond it they are refused.", least=0)
    )
    spool_bytes: int = field(
        default=20 * GB,
        metadata=_about("How much of what is in the store already may stay in the spool as a near copy.", least=0),
    )
    concurrency: int = field(
        default=512, metadata=_about("How many uploads are received at once.", least=1, most=100_000)
    )
    unfinished_hours: float = field(
        default=24.0,
        metadata=_about(
            "How long a resumable upload may rest between two requests before it is given up, in hours.",
            least=0.01,
            most=8760,
        ),
    )
    max_unfinished: int = field(
        default=100_000, metadata=_about("How many resumable uploads may be unfinished at once.", 1, 10_000_000)
    )


@dataclass(frozen=True, slots=True)
class Renditions:
    """Which sizes and formats are made, when, and with how much of the machine."""

    presets: tuple[Preset, ...] = field(
        default_factory=_default_presets,
        metadata=_about("The sizes: a name and the side of the square box it fits into, in pixels.", 1, 16_384),
    )
    formats: tuple[Format, ...] = field(
        default=tuple(Format),
        metadata=_about("The formats that renditions are made in.", choices=tuple(Format)),
    )
    prewarm: tuple[str, ...] = field(
        default=("thumbnail", "small", "medium", "large"),
        metadata=_about("The presets that are made right after an upload. Empty: all are made on demand."),
    )
    workers: int = field(
        default_factory=_cores,
        metadata=_about(
            "How many images are decoded at once, each in its own process; one more for a view that another client's"
            " work would keep waiting.",
            least=1,
            most=1024,
        ),
    )
    queue: int = field(
        default=256, metadata=_about("How many renditions may wait before viewers are asked to retry.", 1, 1_000_000)
    )
    deadline_s: float = field(
        default=20.0, metadata=_about("How long one rendition may take, in seconds.", least=0.1, most=3600)
    )
    memory_bytes: int = field(
        default=512 * MB, metadata=_about("The most memory that one ordinary decode may use.", least=64 * MB)
    )
    heavy_memory_bytes: int = field(
        default_factory=_heavy_memory_bytes,
        metadata=_about("The most memory for the one costly decode that may run at a time.", least=64 * MB),
    )

    pyramid_pixels: int = field(
        default=24_000_000,
        metadata=_about("Images of more pixels than this are zoomed from a pyramid, built once.", least=1_000_000),
    )
    max_area: int = field(
        default=25_000_000,
        metadata=_about(
            "The most pixels of one JPEG of the IIIF Image API. What takes longer to write may have fewer: WebP half "
            "of it, AVIF and PNG a quarter, GIF a sixteenth, and each a tile of 512 x 512.",
            least=512 * 512,
            most=400_000_000,
        ),
    )
    animation_frames: int = field(
        default=1000,
        metadata=_about("The most frames of an animation that a size keeps; beyond, it shows the first.", 1),
    )
    animation_pixels: int = field(
        default=75_000_000,
        metadata=_about(
            "The most pixels, over all frames of one size, that are kept animated; a GIF's count fivefold. Beyond, the "
            "size shows the first frame.",
            least=0,
        ),
    )

    def preset(self, name: str) -> Preset | None:
        return next((preset for preset in self.presets if preset.name == name), None)


@dataclass(frozen=True, slots=True)
class Albums:
    """What albums may hold."""

    max_images: int = field(default=500, metadata=_about("The most images that an album holds.", least=1, most=2000))


@dataclass(frozen=True, slots=True)
class Cache:
    """How much of the machine finished renditions may occupy."""

    memory_bytes: int = field(default=256 * MB, metadata=_about("Finished renditions kept in memory.", least=0))
    disk_bytes: int = field(default=20 * GB, metadata=_about("Finished renditions kept on disk.", least=0))
    tiles_memory_bytes: int = field(default=64 * MB, metadata=_about("Tiles of zoomed images kept in memory.", least=0))
    tiles_bytes: int = field(default=4 * GB, metadata=_about("Tiles of zoomed images kept on disk.", least=0))
    pyramids_bytes: int = field(
        default=20 * GB,
        metadata=_about("Pyramids of large images kept on disk. 0: none are built, and zooming them is slow.", least=0),
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
            "How shared caches are told to forget: `http` sends PURGE requests, which Varnish takes with the VCL of "
            "docs/cdn.md; `cloudflare` calls its API. With `none` they keep images no longer than browsers do.",
            choices=PURGES,
        ),
    )
    urls: tuple[str, ...] = field(
        default=(),
        metadata=_about("Where PURGE requests go: each cache by its own address, such as `http://127.0.0.1:6081`."),
    )
    zone: str | None = field(default=None, metadata=_about("Cloudflare's id of the zone."))
    token: str | None = field(
        default=None,
        repr=False,
        metadata=_about(
            "A Cloudflare API token that may purge the zone's cache. Best given as the credential `cdn_token`.",
            secret=True,
        ),
    )
    api_url: str = field(
        default="https://api.cloudflare.com/client/v4", metadata=_about("Where Cloudflare's API starts.")
    )
    shared_max_age_s: int = field(
        default=30 * 86_400,
        metadata=_about(
            "How long shared caches may keep an image, in seconds, where `purge` is set; never past its expiry.",
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
        default=None, metadata=_about("What the host is called. Unset, it is the host of `server.public_url`.")
    )
    logo: Path | None = field(
        default=None, metadata=_about("An SVG, PNG or WebP file, 200 KB at most, in the place of the logo.")
    )
    accent: str | None = field(
        default=None,
        metadata=_about(
            "The colour of links and buttons, such as `#0c6b64`. Each theme shifts it as far as reading needs."
        ),
    )
    imprint_url: str | None = field(default=None, metadata=_about("Where the pages' foot links the imprint."))
    privacy_url: str | None = field(default=None, metadata=_about("Where the pages' foot links the privacy policy."))
    report: str | None = field(
        default=None,
        metadata=_about(
            "Where share pages send who reports a picture: a mail address, or a URL with `{url}` for the page."
        ),
    )


@dataclass(frozen=True, slots=True)
class Backup:
    """Where `appliance backup` brings the catalogue and what the store does not have yet, and for how long."""

    in_store: bool = field(
        default=True, metadata=_about("Whether backups go to the object store too, under `backups/`.")
    )
    directory: Path | None = field(
        default=None, metadata=_about("A folder for backups, best on another disk than `data_dir`.")
    )
    remote: str | None = field(
        default=None, metadata=_about("A second place, as rclone has it: `name:bucket/folder`. Needs rclone.")
    )
    rclone_config: Path | None = field(
        default=None,
        metadata=_about(
            "rclone's configuration. Unset, it is the credential `rclone_config`, else rclone's own default."
        ),
    )
    age_recipients: tuple[str, ...] = field(
        default=(),
        metadata=_about("Who can open backups: public keys of age (`age1…`) or SSH. Empty: they are not encrypted."),
    )
    age_identity: Path | None = field(
        default=None,
        metadata=_about("The secret age keys that restore and verify open with. Unset: the credential `age_identity`."),
    )
    remote_write_only: bool = field(
        default=False,
        metadata=_about(
            "Whether the second place's key can only write: then nothing is listed, opened or removed there, and old "
            "backups go by the place's own rules."
        ),
    )
    signing_key: Path | None = field(
        default=None,
        metadata=_about(
            "The private OpenSSH key that signs backups, without a passphrase. Unset: the credential "
            "`backup_signing_key`, and without it they are not signed."
        ),
    )
    signers: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "The public OpenSSH keys (`ssh-ed25519 AAAA…`) whose backups restore and verify open; none that is not "
            "signed. Unset: the one of the signing key, where there is one."
        ),
    )
    keep_daily: int = field(default=14, metadata=_about("Of how many days the newest backup stays.", 1, 36_500))
    keep_weekly: int = field(default=8, metadata=_about("Of how many weeks the newest backup stays.", 0, 5_200))


@dataclass(frozen=True, slots=True)
class Config:
    """Everything in force. `data_dir` holds catalogue, spool, cache and, for the directory store, the objects."""

    data_dir: Path = field(
        default=Path("data"), metadata=_about("The directory that holds everything this host keeps.")
    )
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
    def catalogue_path(self) -> Path:
        return self.data_dir / "catalogue.sqlite"

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
