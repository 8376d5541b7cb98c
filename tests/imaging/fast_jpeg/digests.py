"""What the extension makes of the JPEGs in a folder, as SHA-256. `python -m` prints it as JSON."""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

from appliance.domain.renditions import Format, Target
from tests.imaging.fast_jpeg.test_sizes import TARGETS, files_from_planes

WANTED = tuple(
    tuple(replace(target, format=format) for target in targets)
    for format in (Format.JPG, Format.WEBP)
    for targets in (TARGETS, TARGETS[:1])  # a thumbnail alone is decoded by the quick scan
)


def digests(folder: Path) -> dict[str, list[list[str] | None]]:
    """Of each JPEG: every size in one pass and the smallest alone, first as JPEG, then as WebP."""
    return {path.name: [_made_of(path.read_bytes(), targets) for targets in WANTED] for path in folder.iterdir()}


def _made_of(jpeg: bytes, targets: tuple[Target, ...]) -> list[str] | None:
    """None where it is left to libvips."""
    made = files_from_planes(jpeg, targets)
    return None if made is None else [hashlib.sha256(made[target]).hexdigest() for target in targets]


if __name__ == "__main__":
    print(json.dumps(digests(Path(sys.argv[1]))))
