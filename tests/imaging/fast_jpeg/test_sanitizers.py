"""The C extension under AddressSanitizer and UBSan, fed with damaged files in a process of its own."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.imaging.fast_jpeg.extension import Extension
from tests.imaging.fast_jpeg.compiling import SANITIZED, compiled, native_sources, sanitizer
from tests.imaging.fast_jpeg.test_sizes import grey, photo, turned
from tests.support.images import pictures

ROUNDS = 1500
RENDER_ALL = """
import sys
from pathlib import Path
from appliance.domain.renditions import Format
from appliance.imaging.fast_jpeg.extension import Extension, WantedSize
extension = Extension(Path(sys.argv[1]))
sizes = [WantedSize((90, 60), None, 81, 0), WantedSize((31, 20), 0, 81, 1), WantedSize((300, 7), None, 81, 0)]
sizes += [WantedSize((90, 60), 0, 80, 2, Format.WEBP), WantedSize((33, 21), None, 80, 0, Format.WEBP)]
made = 0
for path in sorted(Path(sys.argv[2]).iterdir()):
    for shrink, orientation in ((1, 1), (2, 6), (4, 3), (8, 8)):
        made += extension.render(path.read_bytes(), sizes, shrink=shrink, orientation=orientation) is not None
print(made)
"""


def suited() -> list[bytes]:
    size = (123, 77)
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"progressive": True},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"restart_marker_rows": 1},
    )
    return [*(photo(size, **kind) for kind in kinds), grey(0x11, size), grey(0x22, size), turned(6, size)]


def unsuited() -> list[bytes]:
    return [grey(0x44, (123, 77)), pictures.cmyk_jpeg()]


def damaged(chance: random.Random, source: bytes) -> bytes:
    """The file with some bytes changed, a part of it gone, or cut off."""
    data = bytearray(source)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        data[chance.randrange(2, len(data))] = chance.choice((0, 0xFF, chance.randrange(256)))
    if chance.random() < 0.2:
        start = chance.randrange(len(data))
        del data[start : start + chance.randrange(200)]
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)) :]
    return bytes(data)


@pytest.mark.long
def test_damaged_files_touch_no_memory_that_is_not_theirs(extension: Extension, tmp_path: Path) -> None:
    environment = os.environ | {"LD_PRELOAD": str(sanitizer()), "ASAN_OPTIONS": "detect_leaks=0"}
    built = compiled(tmp_path / "fast_jpeg.so", "-fPIC", "-shared", *SANITIZED, *native_sources())
    folder = tmp_path / "files"
    folder.mkdir()
    chance, whole = random.Random(5), suited() + unsuited()
    for number, source in enumerate(whole):
        (folder / f"whole-{number}").write_bytes(source)
    for number in range(ROUNDS):
        (folder / f"{number:05}").write_bytes(damaged(chance, chance.choice(whole)))
    ran = subprocess.run(
        [sys.executable, "-c", RENDER_ALL, built, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert int(ran.stdout) >= 4 * len(suited())
