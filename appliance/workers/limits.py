"""What a worker process may use, and what it may hold until another process takes its place."""

from dataclasses import dataclass

MAX_OUTPUT_BYTES = 512 * 1024 * 1024
"""Of all results of one order."""

MAX_ORDERS = 5000
"""Starting a worker costs most of a second of a core, a hundredth of the work of so many orders."""
MAX_RESIDENT_BYTES = 256 * 1024 * 1024
"""Between two orders. A worker of ordinary images has 90 MB; the rest is what decoders leak."""
WEIGH_EVERY_ORDERS = 50
MAX_CPU_S = 1800
"""A process gets this and its longest order, by a limit that it can't raise. It is replaced before it gets there."""
MAX_THREADS = 64
"""Between two orders. Some six are normal, and the worker of a hostile file could take all that the user may have."""


@dataclass(frozen=True, slots=True)
class RenewalLimits:
    """What a worker may have used or hold after an order, so that the next one gets the same process."""

    orders: int = MAX_ORDERS
    resident_bytes: int = MAX_RESIDENT_BYTES
    weigh_every_orders: int = WEIGH_EVERY_ORDERS
    cpu_s: float = MAX_CPU_S
    threads: int = MAX_THREADS


RENEWAL_LIMITS = RenewalLimits()


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What a worker may use: memory in bytes, CPU time of its longest order in seconds, size of its largest output.

    `jpeg_bytes` is where libjpeg refuses to hold a progressive image. `niceness` is added to the server's.
    """

    decode_bytes: int
    jpeg_bytes: int
    order_cpu_s: int = 60
    output_bytes: int = MAX_OUTPUT_BYTES
    niceness: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """A worker's whole environment. It holds none of the server's secrets."""
        return {
            "LANG": "C.UTF-8",
            "VIPS_CONCURRENCY": "1",
            # Beyond 100 MB libvips would decode into a file, which the sandbox refuses; memory is bounded as it is.
            "VIPS_DISC_THRESHOLD": "1000g",
            "VIPS_WARNING": "1",  # suppresses warnings, which uploaded files could fill the log with
            "JPEGMEM": str(self.jpeg_bytes // 1000),  # libjpeg counts in thousands
            "MALLOC_ARENA_MAX": "2",
        }
