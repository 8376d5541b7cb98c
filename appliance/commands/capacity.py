"""`appliance capacity`: estimates the machine that a load needs, and its monthly cost."""

import argparse
import asyncio
import json
import re
from dataclasses import asdict, fields

from appliance.capacity.costs import cloud_bill, own_bill
from appliance.capacity.measuring import measure
from appliance.capacity.needs import Layout, Load, needs
from appliance.capacity.prices import PRICES, with_own
from appliance.capacity.table import sources, table
from appliance.config.model import TB, Config

MEASURED_S = 2.0
_HELP = {
    "uploads_per_day": "images uploaded per day",
    "views_per_day": "sizes and originals viewed per day",
    "mean_bytes": "average size of an original, in bytes",
    "retention_days": "how long images are kept",
    "peak_factor": "peak load as a multiple of the average",
    "view_bytes": "average size of a response to a view, in bytes",
    "cdn_hit_ratio": "share of views answered by the CDN, 0 to 1",
    "cache_hit_ratio": "share of the rest answered by this host's cache, 0 to 1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    for field in fields(Load):
        kind = _ratio if field.name.endswith("_ratio") else _factor if field.type is float else _count
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar="N",
            type=kind,
            default=field.default,
            help=f"{_HELP[field.name]} (default: {field.default:,})",
        )
    layout = Layout()
    parser.add_argument(
        "--drive-tb",
        metavar="N",
        type=_factor,
        default=layout.drive_bytes / TB,
        help=f"size of a drive in TB (default: {layout.drive_bytes // TB})",
    )
    parser.add_argument(
        "--erasure",
        metavar="DATA+PARITY",
        type=_erasure,
        default=(12, 4),
        help="data and parity drives of an erasure set (default: 12+4)",
    )
    parser.add_argument(
        "--reserve",
        metavar="N",
        type=_ratio,
        default=layout.reserve,
        help=f"share of the drives kept free, 0 to 1 (default: {layout.reserve})",
    )
    parser.add_argument(
        "--image-seconds",
        metavar="S",
        type=_factor,
        help="CPU seconds for all sizes of an image, instead of measuring",
    )
    parser.add_argument(
        "--price",
        metavar="NAME=USD",
        type=_price,
        action="append",
        default=[],
        help=f"a price in US dollars; names: {', '.join(PRICES)}",
    )
    parser.add_argument("--json", action="store_true", help="print machine-readable figures")


def capacity(config: Config, arguments: argparse.Namespace) -> int:
    """Print the plan. Raises UnfitInstallation when this machine can't be measured."""
    load = Load(**{field.name: getattr(arguments, field.name) for field in fields(Load)})
    data, parity = arguments.erasure
    layout = Layout(data, parity, arguments.reserve, round(arguments.drive_tb * TB))
    image_s, pace = _pace(config, arguments.image_seconds)
    wanted = needs(load, layout, config, image_s=image_s)
    prices = with_own(dict(arguments.price))
    own, cloud = own_bill(wanted, prices), cloud_bill(load, wanted, prices)
    if arguments.json:
        bills = {name: {**bill.items, "total": bill.total} for name, bill in (("own", own), ("cloud", cloud))}
        parts = {"load": asdict(load), "layout": asdict(layout), "image_seconds": image_s, "needs": asdict(wanted)}
        named = {
            name: {"steps": [usd for _, usd in price.steps], "unit": price.unit, "source": price.source}
            for name, price in prices.items()
        }
        print(
            json.dumps(parts | {"original_bytes": load.original_bytes, "usd_a_month": bills, "prices": named}, indent=2)
        )
        return 0
    print("\n".join([*table(load, layout, wanted, pace, (own, cloud)), *sources(prices)]))
    return 0


def _pace(config: Config, given_s: float | None) -> tuple[float, str]:
    if given_s is not None:
        return given_s, f"{given_s * 1000:.0f} ms of a core for all sizes of an image, as given"
    found = asyncio.run(measure(config, seconds=MEASURED_S))
    words = f"{found.image_s * 1000:.0f} ms of a core for all sizes of an image of 6 megapixels"
    return found.image_s, f"{words}, measured here on {found.images}; this machine has {found.cores} cores"


def _count(text: str) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or greater")
    return number


def _factor(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number greater than 0")
    return number


def _ratio(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to less than 1")
    return number


def _erasure(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,3})\+([0-9]{1,3})", text)
    data, parity = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 0 < parity <= data or data + parity > 16:  # MinIO's limits
        raise argparse.ArgumentTypeError(f"{text} must look like 12+4: up to 16 drives, and no more parity than data")
    return data, parity


def _price(text: str) -> tuple[str, float]:
    name, _, usd = text.partition("=")
    if name not in PRICES or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", usd):
        raise argparse.ArgumentTypeError(f"{text} must look like drive-tb=15; the names are {', '.join(PRICES)}")
    return name, float(usd)
