"""What a load needs: drives, catalogue, local disk, memory, cores and traffic.

This is arithmetic alone. Every figure that is no argument is a constant here, with its source.
"""

import math
from dataclasses import dataclass

from appliance.backups.retention import max_backups
from appliance.config.model import GB, TB, Config

DAY_S = 86_400
MONTH_DAYS = 365 / 12
GRACE_DAYS = 7  # lifecycle.expiry: how long the bytes of an expired image are kept
TOMBSTONE_DAYS = 365  # lifecycle.service

ROW_BYTES = 250  # measured, indexes included: 20,000 rows of photographs, as the server writes them
TOMBSTONE_BYTES = 62  # measured the same way
INLINE_BYTES = 128 * 1024  # MinIO keeps smaller shards in the file of their metadata
INLINE_OVERHEAD_BYTES = 7_000  # measured, on each drive: 1 MB objects on 16 drives (12+4), MinIO of 2026-02 on ext4
APART_OVERHEAD_BYTES = 16_300  # measured the same way on 4 drives (2+2), whose shards are separate files

ONE_SIZE_SHARE = 0.4  # benchmarks/results/prewarm_or_on_demand.txt: 45 ms for one size on demand, 110 for all four
USABLE_CORE = 0.7  # beyond it, queues grow faster than load (M/M/c with ten cores)
SERVER_CORES, FRONT_CORES, STORE_CORES = 1, 1, 2  # assumed; cached_rendition.txt: a core serves 10,750 views a second
SERVER_BYTES, STORE_BYTES = 1 * GB, 8 * GB  # assumed
HEAVY_BYTES = 3 * GB  # renditions.heavy_memory_bytes on a machine with 12 GB or more
SPARE_WORKERS = 1  # workers.lanes: the spare of the normal lane
HOT_CATALOGUE_SHARE = 0.1  # assumed: most views are of recent images
PAGE_CACHE_SHARE = 0.25  # assumed: for the kernel, of all the rest
SOLD_GB = (8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)


@dataclass(frozen=True, slots=True)
class Load:
    """Uploads and views. Ratios are between 0 and 1; `view_bytes` is the average response to a view."""

    uploads_per_day: int = 500_000
    views_per_day: int = 5_000_000
    mean_bytes: int = 1_000_000
    retention_days: int = 365
    peak_factor: float = 10.0
    view_bytes: int = 135_000  # benchmarks/results/prewarm_or_on_demand.txt: the four sizes of a photograph have 540 KB
    cdn_hit_ratio: float = 0.9  # assumed; measure your own
    cache_hit_ratio: float = 0.5  # assumed, of the CDN's requests: the others are rendered

    @property
    def uploads_per_s(self) -> float:
        return self.uploads_per_day / DAY_S

    @property
    def views_per_s(self) -> float:
        return self.views_per_day / DAY_S

    @property
    def original_bytes(self) -> int:
        """Bytes of all originals that are visible at once."""
        return self.uploads_per_day * self.mean_bytes * self.retention_days

    @property
    def images(self) -> int:
        """Images in the store at once, including expired ones that are not erased yet."""
        return self.uploads_per_day * (self.retention_days + GRACE_DAYS)


@dataclass(frozen=True, slots=True)
class Layout:
    """The store's layout: `data` and `parity` drives are an erasure set. The share `reserve` stays free."""

    data: int = 12
    parity: int = 4
    reserve: float = 0.2
    drive_bytes: int = 24 * TB

    @property
    def set_size(self) -> int:
        return self.data + self.parity


@dataclass(frozen=True, slots=True)
class DriveNeeds:
    """Hard disks for originals, and for backups in the store.

    `used_bytes` is the sum of all disks, including parity and the filesystem's share.
    """

    object_bytes: int
    backup_bytes: int
    used_bytes: int
    wanted_bytes: int
    count: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class BackupNeeds:
    """Backups of the catalogue: at most `count` in each of `places`, with `kept_bytes` in each place."""

    count: int
    daily: int
    weekly: int
    each_bytes: int
    kept_bytes: int
    encrypted: bool
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoreNeeds:
    """Cores at the peak: for sizes of new images, for sizes rendered again on demand, and for everything else."""

    new: float
    again: float
    others: int
    count: int


@dataclass(frozen=True, slots=True)
class MemoryNeeds:
    """Bytes of memory, by use; `sold` is the next larger size that can be bought."""

    workers: int
    caches: int
    catalogue: int
    others: int
    total: int
    sold: int


@dataclass(frozen=True, slots=True)
class TrafficNeeds:
    """Bytes a month to viewers and from this host to the CDN; bits a second from this host at the peak."""

    viewer_month: int
    origin_month: int
    peak_bits_per_s: int
    views_month: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What the load needs. `local_bytes` is the size of the fast disk for catalogue, spool and cache."""

    drives: DriveNeeds
    catalogue_bytes: int
    backups: BackupNeeds
    local_bytes: int
    cores: CoreNeeds
    memory: MemoryNeeds
    traffic: TrafficNeeds


def needs(load: Load, layout: Layout, config: Config, *, image_s: float) -> Needs:
    """What the load needs. `image_s` is the measured CPU time for all sizes of one image, in seconds."""
    catalogue = catalogue_bytes(load)
    backups = backups_of(catalogue, config)
    cores = cores_for(load, image_s)
    return Needs(
        drives=drives_for(load, layout, backups.kept_bytes if config.backup.in_store else 0),
        catalogue_bytes=catalogue,
        backups=backups,
        local_bytes=_local_bytes(catalogue, config),
        cores=cores,
        memory=memory_for(cores, catalogue, config),
        traffic=traffic_of(load),
    )


def drives_for(load: Load, layout: Layout, backup_bytes: int = 0) -> DriveNeeds:
    """Whole erasure sets that leave the reserve free when the store is as full as it gets."""
    object_bytes = load.images * load.mean_bytes
    coded = (object_bytes + backup_bytes) * layout.set_size / layout.data
    shard = load.mean_bytes / layout.data
    overhead = INLINE_OVERHEAD_BYTES if shard <= INLINE_BYTES else APART_OVERHEAD_BYTES
    used = coded + load.images * layout.set_size * overhead
    wanted = used / (1 - layout.reserve)
    sets = max(1, math.ceil(wanted / (layout.drive_bytes * layout.set_size)))
    count = sets * layout.set_size
    return DriveNeeds(object_bytes, backup_bytes, round(used), round(wanted), count, count * layout.drive_bytes)


def catalogue_bytes(load: Load) -> int:
    """Rows of visible and of expired images, and a year of tombstones."""
    return load.images * ROW_BYTES + load.uploads_per_day * TOMBSTONE_DAYS * TOMBSTONE_BYTES


def backups_of(catalogue: int, config: Config) -> BackupNeeds:
    """Backups are whole, uncompressed copies. There are at least two: the newest stays while the next one is stored."""
    backup = config.backup
    count = max(2, max_backups(daily=backup.keep_daily, weekly=backup.keep_weekly))
    places = ["the bucket, counted with the drives"] if backup.in_store else []
    places += [f"the disk of {backup.directory}"] if backup.directory else []
    places += [f"rclone's {backup.remote}"] if backup.remote else []
    encrypted = bool(backup.age_recipients)
    return BackupNeeds(
        count, backup.keep_daily, backup.keep_weekly, catalogue, count * catalogue, encrypted, tuple(places)
    )


def cores_for(load: Load, image_s: float) -> CoreNeeds:
    """At the peak: all sizes of each upload, and one size for each view that no cache answers."""
    new = load.uploads_per_s * load.peak_factor * image_s / USABLE_CORE
    missed = load.views_per_s * load.peak_factor * (1 - load.cdn_hit_ratio) * (1 - load.cache_hit_ratio)
    again = missed * image_s * ONE_SIZE_SHARE / USABLE_CORE
    others = SERVER_CORES + FRONT_CORES + STORE_CORES
    return CoreNeeds(round(new, 2), round(again, 2), others, math.ceil(new + again) + others)


def memory_for(cores: CoreNeeds, catalogue: int, config: Config) -> MemoryNeeds:
    """Memory for a worker for each core that renders, plus the spare one, all at their limits at the same time."""
    workers = (math.ceil(cores.new + cores.again) + SPARE_WORKERS) * config.renditions.memory_bytes
    workers += HEAVY_BYTES
    caches = config.cache.memory_bytes + config.cache.tiles_memory_bytes
    hot = round(catalogue * HOT_CATALOGUE_SHARE)
    others = SERVER_BYTES + STORE_BYTES
    total = round((workers + caches + hot + others) * (1 + PAGE_CACHE_SHARE))
    sold = next((size * GB for size in SOLD_GB if size * GB >= total), total)
    return MemoryNeeds(workers, caches, hot, others, total, sold)


def traffic_of(load: Load) -> TrafficNeeds:
    """Outgoing traffic. Uploads are left out, since lines have the same rate in both directions."""
    day = load.views_per_day * load.view_bytes
    origin = day * (1 - load.cdn_hit_ratio)
    peak = origin / DAY_S * load.peak_factor * 8
    views_month = round(load.views_per_day * MONTH_DAYS)
    return TrafficNeeds(round(day * MONTH_DAYS), round(origin * MONTH_DAYS), round(peak), views_month)


def _local_bytes(catalogue: int, config: Config) -> int:
    """The catalogue, its copy during a backup, another during encryption, and all configured budgets."""
    budgets = config.uploads.spool_bytes + config.uploads.reserve_bytes + config.cache.all_disk_bytes
    return (3 if config.backup.age_recipients else 2) * catalogue + budgets
