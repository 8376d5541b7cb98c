"""The plan as text: figures, their parts, and the sources of constants."""

from collections.abc import Iterator, Mapping

from appliance.capacity import costs, needs
from appliance.capacity.costs import Bill
from appliance.capacity.needs import Layout, Load, Needs
from appliance.capacity.prices import Price

_UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


def table(load: Load, layout: Layout, wanted: Needs, pace: str, bills: tuple[Bill, Bill]) -> Iterator[str]:
    """The lines of the plan. `pace` says where the seconds per image come from."""
    yield from _load(load)
    yield from _machine(load, layout, wanted, pace)
    yield from _traffic(load, wanted)
    yield from _bills(*bills)


def sources(prices: Mapping[str, Price]) -> Iterator[str]:
    """Lines with every price, its unit and source, and the assumptions."""
    yield "Prices (US dollars; --price NAME=USD sets your own)"
    for name, price in prices.items():
        steps = " / ".join(f"{usd:g}" for _, usd in price.steps)
        yield f"  {name:<17} {steps} a {price.unit}. Source: {price.source}"
    yield "Assumed or measured by us (appliance/capacity/needs.py, costs.py)"
    yield f"  a row of the catalogue {needs.ROW_BYTES} bytes, a tombstone {needs.TOMBSTONE_BYTES}: measured"
    yield (
        f"  filesystem and metadata of an object, on each drive: {needs.INLINE_OVERHEAD_BYTES:,} bytes"
        f" ({needs.APART_OVERHEAD_BYTES:,} for shards of more than 128 KiB): measured, MinIO on ext4"
    )
    yield (
        "  a backup a day, as large as the catalogue: VACUUM INTO, no compression, and age adds none"
        " (appliance/catalogue/backup.py, backups/creation.py, backups/retention.py)"
    )
    yield (
        f"  cores used to {needs.USABLE_CORE:.0%} at the peak; drives and box paid off in {costs.LIFETIME_MONTHS}"
        f" months; {costs.BOX_WATTS} W and {costs.DRIVE_WATTS} W a drive: assumed"
    )


def _load(load: Load) -> Iterator[str]:
    yield "Load"
    yield _row(
        "uploads",
        f"{load.uploads_per_day:,} a day",
        f"{load.uploads_per_s:.1f}/s, at the peak {_peak(load, load.uploads_per_s)}/s",
    )
    yield _row(
        "views",
        f"{load.views_per_day:,} a day",
        f"{load.views_per_s:.1f}/s, at the peak {_peak(load, load.views_per_s)}/s",
    )
    yield _row(
        "originals", _size(load.original_bytes), f"{load.mean_bytes:,} bytes each, kept {load.retention_days} days"
    )


def _machine(load: Load, layout: Layout, wanted: Needs, pace: str) -> Iterator[str]:
    drives, backups, cores, memory = wanted.drives, wanted.backups, wanted.cores, wanted.memory
    with_them = ", backups with them" if drives.backup_bytes else ""
    yield "Machine"
    yield _row(
        "drives",
        f"{drives.count} of {_size(layout.drive_bytes)}",
        f"{_size(drives.object_bytes)} with {needs.GRACE_DAYS} days of grace; {_size(drives.used_bytes)} erasure coded"
        f" {layout.data}+{layout.parity}{with_them}; {_size(drives.wanted_bytes)} with {layout.reserve:.0%} in reserve",
    )
    yield _row("catalogue", _size(wanted.catalogue_bytes), f"{load.images:,} images and a year of tombstones")
    yield _row(
        "backups",
        _size(backups.kept_bytes),
        f"{backups.count} at most ({backups.daily} days, {backups.weekly} weeks), each of {_size(backups.each_bytes)}:"
        " a copy of the catalogue, not compressed",
    )
    yield _row("", "", f"in each place: {', '.join(backups.places) or 'none is configured'}")
    yield _row("", "", "to keep fewer: backup.keep_daily, backup.keep_weekly")
    copies = "a copy, that copy encrypted" if backups.encrypted else "a copy"
    yield _row("fast disk", _size(wanted.local_bytes), f"catalogue, {copies}, spool, cache, reserve, as configured")
    yield _row(
        "cores",
        str(cores.count),
        f"new images {cores.new:.1f}, sizes made again {cores.again:.1f}, server, front and store {cores.others}",
    )
    yield _row("", "", pace)
    yield _row(
        "memory",
        _size(memory.sold),
        f"workers at their limit {_size(memory.workers)}, caches {_size(memory.caches)},"
        f" hot rows {_size(memory.catalogue)}, server and store {_size(memory.others)},"
        f" page cache {needs.PAGE_CACHE_SHARE:.0%} more",
    )


def _traffic(load: Load, wanted: Needs) -> Iterator[str]:
    traffic = wanted.traffic
    yield "Traffic"
    yield _row(
        "to viewers",
        f"{_size(traffic.viewer_month)} a month",
        f"{traffic.views_month:,} views of {load.view_bytes:,} bytes",
    )
    yield _row(
        "from the box",
        f"{_size(traffic.origin_month)} a month",
        f"{load.cdn_hit_ratio:.0%} answered by the CDN; at the peak {traffic.peak_bits_per_s / 1e6:,.0f} Mb/s",
    )


def _bills(own: Bill, cloud: Bill) -> Iterator[str]:
    yield "Cost a month, US dollars"
    for title, bill in (("own box", own), ("S3 + CloudFront", cloud)):
        parts = ", ".join(f"{name} {usd:,.0f}" for name, usd in bill.items.items())
        yield _row(title, f"{bill.total:,.0f}", parts)
    yield _row(
        "",
        f"{cloud.total / own.total:.1f} times" if own.total else "-",
        "without labour; S3's without rendering of sizes",
    )


def _row(name: str, figure: str, words: str) -> str:
    return f"  {name:<15} {figure:<18} {words}".rstrip()


def _peak(load: Load, rate: float) -> str:
    return f"{rate * load.peak_factor:,.0f}"


def _size(count: float) -> str:
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count:,.0f} bytes"
