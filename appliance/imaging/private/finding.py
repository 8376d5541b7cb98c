"""The front: what has to be overwritten in a file so that nothing private is left in it."""

import time
from collections.abc import Callable

from appliance.edits import Findings
from appliance.imaging.formats import Kind
from appliance.imaging.private.cleaning import Cleaning, OutOfTime, Unclear
from appliance.imaging.private.gif import clean_gif
from appliance.imaging.private.heif import clean_heif
from appliance.imaging.private.jpeg import clean_jpeg
from appliance.imaging.private.png import clean_png
from appliance.imaging.private.tiff import Walk
from appliance.imaging.private.webp import clean_webp
from appliance.imaging.sources import kind_of
from appliance.model import KeepMetadata


def find(fd: int, keep: KeepMetadata, clock: Callable[[], float] = time.process_time) -> Findings:
    """What to change in the open file so that only what `keep` allows is left.

    Raises EmptyUpload, UnsupportedFormat or NotAnImage.
    """
    clean, cleaning = _CLEANERS[kind_of(fd)], Cleaning(fd, keep, clock)
    try:
        clean(cleaning)
    except (Unclear, OutOfTime):
        cleaning.complete = False
    return cleaning.findings()


def _clean_tiff(cleaning: Cleaning) -> None:
    plan = Walk(cleaning, cleaning.keep).plan()
    cleaning.complete &= plan.complete
    cleaning.content_credentials |= plan.content_credentials
    for offset, data in plan.writes:
        cleaning.put(offset, cleaning.read(offset, len(data)), data)
    for start, end in plan.zeros:
        cleaning.fill(start, end - start)


_CLEANERS: dict[Kind, Callable[[Cleaning], None]] = {
    Kind.JPEG: clean_jpeg,
    Kind.PNG: clean_png,
    Kind.GIF: clean_gif,
    Kind.WEBP: clean_webp,
    Kind.TIFF: _clean_tiff,
    Kind.AVIF: clean_heif,
    Kind.HEIC: clean_heif,
}
