"""Monthly cost: a box of your own behind a CDN, compared with the same load on S3 and CloudFront."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.capacity.needs import MONTH_DAYS, Load, Needs
from appliance.capacity.prices import GIB, Price

LIFETIME_MONTHS = 48  # assumed lifetime of drives and box
BOX_WATTS, DRIVE_WATTS = 350, 8  # assumed, under load
HOURS = 24 * MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month, by item."""

    items: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.items.values())


def own_bill(needs: Needs, prices: Mapping[str, Price]) -> Bill:
    """The cost of a box of your own, without labour and without a second box."""
    count = needs.drives.count
    kwh = (BOX_WATTS + count * DRIVE_WATTS) / 1000 * HOURS
    return Bill(
        {
            "drives": prices["drive-tb"].of(needs.drives.raw_bytes / 1e12) / LIFETIME_MONTHS,
            "box": prices["box"].of(1) / LIFETIME_MONTHS,
            "power": prices["kwh"].of(kwh),
            "space and line": prices["space"].of(1),
            "CDN": prices["cdn"].of(needs.traffic.viewer_month / 1e9),
        }
    )


def cloud_bill(load: Load, needs: Needs, prices: Mapping[str, Price]) -> Bill:
    """The cost of the same originals and views in the cloud, without rendering or storing sizes."""
    views = needs.traffic.views_month
    return Bill(
        {
            "S3 storage": prices["s3-storage"].of(load.original_bytes / GIB),
            "S3 PUT": prices["s3-put"].of(load.uploads_per_day * MONTH_DAYS / 1000),
            "S3 GET": prices["s3-get"].of(views * (1 - load.cdn_hit_ratio) / 1000),
            "CloudFront traffic": prices["cloudfront"].of(needs.traffic.viewer_month / GIB),
            "CloudFront requests": prices["cloudfront-https"].of(views / 10_000),
        }
    )
