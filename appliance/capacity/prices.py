"""Prices, each with unit, source and date. List prices change, so all of them can be set."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

GIB, TIB_GIB = 2**30, 1024
"""What clouds bill as a GB, and how many of them as a TB."""

ASSUMED = "assumed 2026-11; set your own"
S3_PAGE = "aws.amazon.com/s3/pricing, US East (N. Virginia), list prices as of 2026-03"
CLOUDFRONT_PAGE = "aws.amazon.com/cloudfront/pricing, North America and Europe, list prices, read 2026-11"
BUNNY_PAGE = "docs.bunny.net/cdn/pricing, standard tier, Europe and North America, list price, read 2026-11"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per unit, in steps of (units, dollars); the last one is unlimited. The first `free` units are free."""

    steps: tuple[tuple[float, float], ...]
    unit: str
    source: str
    free: float = 0.0

    @classmethod
    def flat(cls, usd: float, unit: str, source: str) -> "Price":
        return cls(((inf, usd),), unit, source)

    def of(self, units: float) -> float:
        """The cost of so many units."""
        left, usd = max(0.0, units - self.free), 0.0
        for step_units, unit_usd in self.steps:
            step = min(left, step_units)
            usd += step * unit_usd
            left -= step
        return usd


PRICES: Mapping[str, Price] = {
    "drive-tb": Price.flat(19, "TB of hard disks", ASSUMED),
    "box": Price.flat(9_000, "server with bays, memory and fast disks, without hard disks", ASSUMED),
    "kwh": Price.flat(0.25, "kWh", ASSUMED),
    "space": Price.flat(250, "month of rack space and a line of 1 Gb/s", ASSUMED),
    "cdn": Price.flat(0.01, "GB to viewers", BUNNY_PAGE),
    "s3-storage": Price(
        ((50 * TIB_GIB, 0.023), (450 * TIB_GIB, 0.022), (inf, 0.021)), "GB and month, S3 Standard", S3_PAGE
    ),
    "s3-put": Price.flat(0.005, "1,000 PUT", S3_PAGE),
    "s3-get": Price.flat(0.0004, "1,000 GET", S3_PAGE),
    "cloudfront": Price(
        (
            (10 * TIB_GIB, 0.085),
            (40 * TIB_GIB, 0.080),
            (100 * TIB_GIB, 0.060),
            (350 * TIB_GIB, 0.040),
            (524 * TIB_GIB, 0.030),
            (4096 * TIB_GIB, 0.025),
            (inf, 0.020),
        ),
        "GB to viewers, the first TB a month free",
        CLOUDFRONT_PAGE,
        free=TIB_GIB,
    ),
    "cloudfront-https": Price(
        ((inf, 0.01),), "10,000 HTTPS requests, the first 10 million a month free", CLOUDFRONT_PAGE, free=1000
    ),
}


def with_own(own: Mapping[str, float]) -> dict[str, Price]:
    """The prices, some replaced by flat ones. Raises KeyError for an unknown name."""
    prices = dict(PRICES)
    for name, usd in own.items():
        prices[name] = replace(prices[name], steps=((inf, usd),), source="your own", free=0.0)
    return prices
