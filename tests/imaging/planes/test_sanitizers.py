"""The C extension under AddressSanitizer and UBSan, fed with damaged files in a process of its own."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.imaging.planes.extension import Extension
from tests.imaging.planes.test_sizes import grey, photo, turned
from tests.support.images import pictures
from tests.support.programs import ROOT, require

NATIVE = ROOT / "appliance/imaging/planes/native"
FLAGS = ("-std=gnu11", "-O1", "-g", "-fPIC", "-shared", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ROUNDS = 1500
RENDER_ALL = """
import sys
from pathlib import Path
from appliance.domain.renditions import Format
from appliance.imaging.planes.extension import Extension, PlaneSize
extension = Extension(Path(sys.argv[1]))
sizes = [PlaneSize((90, 60), None, 81, 0), PlaneSize((31, 20), 0, 81, 1), PlaneSize((300, 7), None, 81, 0)]
sizes += [PlaneSize((90, 60), 0, 80, 2, Format.WEBP), PlaneSize((33, 21), None, 80, 0, Format.WEBP)]
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
    sanitizer = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    library = sanitizer.stdout.strip()
    if not os.path.isabs(library):  # noqa: PTH117 - gcc prints the bare name of what it hasn't got
        require("AddressSanitizer", "it comes with gcc")
    built, folder = tmp_path / "planes.so", tmp_path / "files"
    subprocess.run(["gcc", *FLAGS, "-o", built, *NATIVE.glob("*.c"), "-ldl", "-lm"], check=True)
    folder.mkdir()
    chance, whole = random.Random(5), suited() + unsuited()
    for number, source in enumerate(whole):
        (folder / f"whole-{number}").write_bytes(source)
    for number in range(ROUNDS):
        (folder / f"{number:05}").write_bytes(damaged(chance, chance.choice(whole)))
    environment = os.environ | {"LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"}
    ran = subprocess.run(
        [sys.executable, "-c", RENDER_ALL, built, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert int(ran.stdout) >= 4 * len(suited())
