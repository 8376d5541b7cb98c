"""The front: what has to be overwritten in a file so that nothing private is left in it."""

import functools
import logging
import time
import traceback
from collections.abc import Callable

from appliance.domain import formats
from appliance.domain.file_edits import Findings
from appliance.domain.formats import FormatSpec
from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaning, OutOfTime
from appliance.imaging.metadata.gif import clean_gif
from appliance.imaging.metadata.heif import clean_heif
from appliance.imaging.metadata.jpeg import clean_jpeg
from appliance.imaging.metadata.png import clean_png
from appliance.imaging.metadata.tiff import Walk
from appliance.imaging.metadata.webp import clean_webp
from appliance.imaging.sniffing import kind_of

_log = logging.getLogger(__name__)


def find(fd: int, keep: KeepMetadata, clock: Callable[[], float] = time.process_time) -> Findings:
    """What to change in the open file so that only what `keep` allows is left.

    A fault of our own makes the findings incomplete, and no more. Raises EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    kind, cleaning = kind_of(fd), Cleaning(fd, keep, clock)
    try:
        CLEANERS[kind](cleaning)
    except (Unclear, OutOfTime):
        cleaning.complete = False
    except MemoryError:
        raise
    except Exception as fault:
        cleaning.complete = False
        log_once(kind, type(fault).__name__, *_last(fault))
    return cleaning.findings()


def _last(fault: Exception) -> tuple[str, int]:
    """The function and the line in which it came up."""
    *_, (frame, line) = traceback.walk_tb(fault.__traceback__)
    return frame.f_code.co_qualname, line


@functools.lru_cache(256)
def log_once(kind: FormatSpec, fault: str, function: str, line: int) -> None:
    """A file that is sent a thousand times is one line of a worker's log."""
    _log.error("removing metadata from a %s file failed: %s in %s, line %d", kind.name, fault, function, line)


def _clean_tiff(cleaning: Cleaning) -> None:
    plan = Walk(cleaning, cleaning.keep).plan()
    cleaning.complete &= plan.complete
    cleaning.content_credentials |= plan.content_credentials
    for offset, data in plan.writes:
        cleaning.put(offset, cleaning.read(offset, len(data)), data)
    for start, end in plan.zeros:
        cleaning.fill(start, end - start)


CLEANERS: dict[FormatSpec, Callable[[Cleaning], None]] = {
    formats.JPEG: clean_jpeg,
    formats.PNG: clean_png,
    formats.GIF: clean_gif,
    formats.WEBP: clean_webp,
    formats.TIFF: _clean_tiff,
    formats.AVIF: clean_heif,
    formats.HEIC: clean_heif,
}
