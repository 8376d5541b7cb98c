"""The blocks of metadata that a file holds, each the first of its kind."""

from dataclasses import dataclass, field

from appliance.imaging.directories import Block, Memory

MAX_EXIF_BYTES = 1024 * 1024
MAX_XMP_BYTES = 4 * 1024 * 1024
MAX_PROFILE_BYTES = 8 * 1024 * 1024
MAX_IPTC_BYTES = 256 * 1024


@dataclass(slots=True)
class Blocks:
    """What was found; empty for what wasn't. `exif` is a TIFF file, `texts` are a PNG's by their keyword.

    `complete` is false if a block is longer than what is looked at.
    """

    exif: Memory = field(default_factory=lambda: Block(b""))
    xmp: bytes = b""
    iptc: bytes = b""
    profile: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)
    complete: bool = True
