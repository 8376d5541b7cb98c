"""Lanes: the kinds of work, each with workers of its own, so that none of them takes what another one needs.

| lane         | for                              | workers          | memory of each       | deadline |
|--------------|----------------------------------|------------------|----------------------|----------|
| `inspect`    | headers and metadata             | 2 and a spare    | 1.2 GB               | 10 s     |
| `normal`     | most images                      | n and a spare    | `memory_bytes`       | 1 x      |
| `long`       | what takes long to decode        | n / 2, on demand | `memory_bytes`       | 3 x      |
| `heavy`      | what takes more memory than that | 1, on demand     | `heavy_memory_bytes` | 3 x      |
| `background` | pyramids                         | 1, on demand     | `memory_bytes`       | 30 x     |

n is `renditions.workers`, and deadlines are multiples of `renditions.deadline_s`. The kernel holds every worker to its
limit, so decoding takes at most the sum of workers times memory of each.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.config.model import Renditions
from appliance.domain.regions import pyramid_bytes
from appliance.domain.render_cost import is_long
from appliance.domain.renditions import Facts
from appliance.workers.limits import ResourceLimits

INSPECTORS = 2
INSPECT_DEADLINE_S = 10.0
INSPECT_MEMORY_BYTES = 1200 * 1024 * 1024
"""libvips sets four bytes a pixel aside to read the header of a WebP, which has up to 16383 x 16383."""
MAX_WAITING_UPLOADS = 1024
PATIENT_DEADLINES = 3
"""A long or heavy image may take this many times the ordinary deadline."""
MAX_WAIT_S = 2.0
"""When a new client's view would wait longer, the host has too much to do: from here on some views are refused, and all
from twice that long. Later people have gone, and what they wanted would still be made.
"""
PYRAMID_DEADLINES = 30
"""A pyramid, which nobody has to wait for, may take this many times the ordinary deadline."""
PYRAMID_OUTPUT_BYTES = 16 * 1024**3
NICENESS = 8
"""Of workers with long deadlines: they get a sixth of the CPU time of others that want it at the same moment.

With 5 it is a third, and views wait for it; with 10 a tenth, and an image that takes ten seconds could miss its
deadline only because the host is busy.
"""
PATIENT_IDLE_S, SPARE_IDLE_S = 60.0, 600.0
_CPU_RESERVE_S = 2
"""The deadline is for the clock; the limit on CPU time is there for a server that could not keep it."""


class LaneName(StrEnum):
    """The names of the lanes, which are labels of metrics."""

    INSPECT = "inspect"
    NORMAL = "normal"
    LONG = "long"
    HEAVY = "heavy"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Lane:
    """How many workers a lane has, what each may use, and how many orders may wait for one.

    Workers with `idle_s` are started for an order, and ended after so long without one. With `hands_ahead` a worker has
    the next order already while it does a short one. Views are refused where new clients would wait for more than
    `max_wait_s`. `what` names what waits.
    """

    workers: int
    limits: ResourceLimits
    deadline_s: float
    max_waiting: int
    idle_s: float | None = None
    has_spare: bool = False
    hands_ahead: bool = False
    max_wait_s: float = math.inf
    what: str = "requests for other sizes"


def lanes_of(config: Renditions) -> Mapping[LaneName, Lane]:
    """The lanes of a host."""
    deadline_s = config.deadline_s
    inspecting = ResourceLimits(INSPECT_MEMORY_BYTES, INSPECT_MEMORY_BYTES, order_cpu_s(INSPECT_DEADLINE_S))
    normal = ResourceLimits(config.memory_bytes, config.memory_bytes, order_cpu_s(deadline_s))
    long = replace(normal, order_cpu_s=order_cpu_s(deadline_s * PATIENT_DEADLINES), niceness=NICENESS)
    pyramids_cpu_s = order_cpu_s(deadline_s * PYRAMID_DEADLINES)
    background = replace(long, order_cpu_s=pyramids_cpu_s, output_bytes=PYRAMID_OUTPUT_BYTES)
    heavy = replace(background, decode_bytes=config.heavy_memory_bytes, jpeg_bytes=config.heavy_memory_bytes)
    patient_s = deadline_s * PATIENT_DEADLINES
    return {
        LaneName.INSPECT: Lane(
            INSPECTORS, inspecting, INSPECT_DEADLINE_S, MAX_WAITING_UPLOADS, has_spare=True, what="uploads"
        ),
        LaneName.NORMAL: Lane(
            config.workers,
            normal,
            deadline_s,
            config.queue,
            has_spare=True,
            hands_ahead=True,
            max_wait_s=MAX_WAIT_S,
        ),
        LaneName.LONG: Lane(max(1, config.workers // 2), long, patient_s, config.queue, PATIENT_IDLE_S),
        LaneName.HEAVY: Lane(1, heavy, patient_s, config.queue, PATIENT_IDLE_S),
        LaneName.BACKGROUND: Lane(1, background, deadline_s * PYRAMID_DEADLINES, config.queue, PATIENT_IDLE_S),
    }


def lane_of(facts: Facts, config: Renditions, *, long: bool = False) -> LaneName:
    """The lane of an order on an image. `long` is for work that takes long however small the image is."""
    if facts.memory_bytes > config.memory_bytes:
        return LaneName.HEAVY
    return LaneName.LONG if long or is_long(facts) else LaneName.NORMAL


def pyramid_lane_of(facts: Facts, config: Renditions) -> LaneName:
    """The lane in which an image's pyramid is built."""
    return LaneName.HEAVY if pyramid_bytes(facts) > config.memory_bytes else LaneName.BACKGROUND


def order_cpu_s(deadline_s: float) -> int:
    """The CPU time that an order may use, in seconds."""
    return math.ceil(deadline_s) + _CPU_RESERVE_S
