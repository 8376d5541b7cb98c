"""Section `uploads`: which uploads are accepted, how long images are kept, and the disk space for them."""

from dataclasses import dataclass, field

from appliance.config.option_info import info
from appliance.config.units import GB


@dataclass(frozen=True, slots=True)
class Uploads:
    """Limits of uploads, how long images are kept, and disk space."""

    max_bytes: int = field(
        default=0,
        metadata=info("The largest file that can be uploaded. 0: as large as the store and the disk allow.", minimum=0),
    )
    max_pixels: int = field(
        default=1_000_000_000,
        metadata=info(
            "Largest image to resize, in pixels (width x height). Of larger ones only the original is kept.", 1
        ),
    )
    ack_budget_s: float = field(
        default=5.0,
        metadata=info(
            "How long the response to an upload or a deletion waits for the store, in seconds. Of several servers, "
            "none answers an upload with success before the store has it or is known to be away; see "
            "[nodes.md](nodes.md#what-success-means).",
            minimum=0,
            maximum=9,
        ),
    )
    idle_timeout_s: float = field(
        default=60.0,
        metadata=info(
            "How long an upload may stall, in seconds. Over five times that, it must average 1 KB/s.",
            minimum=0.1,
            maximum=86_400,
        ),
    )
    default_expiry_days: int = field(
        default=365,
        metadata=info("How long an image is kept unless the uploader chooses otherwise, in days.", 1, 36_500),
    )
    max_expiry_days: int = field(
        default=730,
        metadata=info("The longest expiry an uploader can choose, in days.", minimum=1, maximum=36_500),
    )
    reserve_bytes: int = field(
        default=2 * GB,
        metadata=info(
            "Disk space that uploads never use. When only this is left, uploads are refused, and views go on.",
            minimum=0,
        ),
    )
    spool_bytes: int = field(
        default=20 * GB,
        metadata=info("How much space the spool may use for local copies of stored originals.", minimum=0),
    )
    concurrency: int = field(
        default=512, metadata=info("Maximum number of simultaneous uploads.", minimum=1, maximum=100_000)
    )
    unfinished_hours: float = field(
        default=24.0,
        metadata=info(
            "How long a resumable upload may stay idle before it expires, in hours.",
            minimum=0.01,
            maximum=8760,
        ),
    )
    max_unfinished: int = field(
        default=100_000, metadata=info("Maximum number of unfinished resumable uploads.", 1, 10_000_000)
    )
