"""Section `limits`: how much of what everybody shares one client may use."""

import os
from dataclasses import dataclass, field

from appliance.config.option_info import info
from appliance.config.units import GB

MODES = ("auto", "on", "off")
PROOFS = ("auto", "always", "never")
_NETWORK = "one network (/24 of IPv4, /48 of IPv6)"
_KEY = "one access key, or one person whom a trusted proxy has signed in"
_ALL = "all clients together that have no access key and aren't signed in"
MAX_PROOF_COST = 20_000
"""With which a phone takes a minute, and the event loop of the server 20 ms."""
UPLOADS_A_CORE = 250
"""In a minute: half of the images of 1 MB that a core stores and makes the sizes of, so that views have the rest."""


def _quota(default: int, what: str) -> int:
    default_quota: int = field(default=default, metadata=info(f"{what}. 0: no limit.", minimum=0))
    return default_quota


def uploads_of_all(machines: int) -> int:
    """What all clients without a key may begin to upload in a minute at so many machines like this one."""
    return UPLOADS_A_CORE * (os.cpu_count() or 1) * machines


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """How much one client may use. An address is an IPv4 address or a /64 of IPv6."""

    mode: str = field(
        default="auto",
        metadata=info(
            "Whether clients are limited. `auto`: unless the server listens on this machine only and trusts no proxy; "
            "there, what everybody does together is limited once a proxy that isn't trusted forwards a request.",
            choices=MODES,
        ),
    )
    address_requests: int = _quota(6000, "Requests a minute from one address")
    prefix_requests: int = _quota(30_000, f"Requests a minute from {_NETWORK}")
    key_requests: int = _quota(30_000, f"Requests a minute of {_KEY}")
    address_uploads: int = _quota(600, "Images that one address may begin to upload in a minute")
    prefix_uploads: int = _quota(3000, f"Images that {_NETWORK} may begin to upload in a minute")
    key_uploads: int = _quota(3000, f"Images that {_KEY} may begin to upload in a minute")
    anonymous_uploads: int | None = field(
        default=None,
        metadata=info(
            f"Images that {_ALL} may begin to upload in a minute, at all nodes. 0: no limit. By default the nodes that "
            "are alive decide.",
            minimum=0,
        ),
    )
    address_minute_bytes: int = _quota(4 * GB, "Bytes that one address may upload in a minute")
    prefix_minute_bytes: int = _quota(12 * GB, f"Bytes that {_NETWORK} may upload in a minute")
    key_minute_bytes: int = _quota(12 * GB, f"Bytes that {_KEY} may upload in a minute")
    anonymous_minute_bytes: int = _quota(24 * GB, f"Bytes that {_ALL} may upload in a minute")
    address_day_bytes: int = _quota(20 * GB, "Bytes that one address may upload in a day (UTC)")
    prefix_day_bytes: int = _quota(60 * GB, f"Bytes that {_NETWORK} may upload in a day (UTC)")
    key_day_bytes: int = _quota(200 * GB, f"Bytes that {_KEY} may upload in a day (UTC)")
    anonymous_day_bytes: int = _quota(200 * GB, f"Bytes that {_ALL} may upload in a day (UTC)")
    address_processor_s: int = _quota(60, "Seconds a minute in which workers make views for one address")
    prefix_processor_s: int = _quota(240, f"Seconds a minute in which workers make views for {_NETWORK}")
    key_processor_s: int = _quota(240, f"Seconds a minute in which workers make views for {_KEY}")
    proof_of_work: str = field(
        default="auto",
        metadata=info(
            "Whether clients that have no access key and aren't signed in have to solve a challenge before they "
            "upload. `auto`: while their network, or all of them together, have used a sixteenth of the images or half "
            "of the bytes that they may upload in a minute.",
            choices=PROOFS,
        ),
    )
    proof_of_work_cost: int = field(
        default=200,
        metadata=info(
            "How much work a challenge is: iterations for each of some 4096 tries, of which the server makes one.",
            minimum=1,
            maximum=MAX_PROOF_COST,
        ),
    )
