"""The whole extension on aarch64, with that processor's Python and libraries in an emulator."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import PIL
import pytest

from appliance.doctor import probes
from appliance.imaging.fast_jpeg.extension import LIBRARY, Extension
from tests.imaging.fast_jpeg.compiling import require_aarch64
from tests.imaging.fast_jpeg.digests import digests
from tests.imaging.fast_jpeg.test_sizes import CASES, LEFT
from tests.support.images import pictures
from tests.support.programs import ROOT, require

DEBIAN = ROOT / "build/aarch64"
WHEELS = DEBIAN / "wheels"
DENSE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the extension for aarch64, which the Makefile's own rule builds, and the tests."""
    require_aarch64()
    if not (WHEELS / f"pillow-{PIL.__version__}.dist-info").exists():
        require("a Debian for aarch64", "run `make aarch64`, which unpacks it with the wheels of requirements.lock")
    made = tmp_path_factory.mktemp("aarch64")
    shutil.copytree(ROOT / "appliance", made / "appliance", ignore=shutil.ignore_patterns(LIBRARY.name, "__pycache__"))
    (made / "tests").symlink_to(ROOT / "tests")
    library = made / LIBRARY.relative_to(ROOT)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    compiler = f"aarch64-linux-gnu-gcc --sysroot={DEBIAN}"
    subprocess.run(["make", f"CC={compiler}", f"FAST_JPEG={library}", library], cwd=ROOT, env=plain, check=True)
    return made


def emulated(tree: Path, *arguments: str | Path) -> Any:
    """What a module prints there, as JSON. What is pure Python comes from this environment."""
    ran = subprocess.run(
        ["qemu-aarch64", "-L", DEBIAN, DEBIAN / "usr/bin/python3", "-B", "-m", *arguments],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": f"{WHEELS}:{Path(pytest.__file__).parents[1]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return json.loads(ran.stdout)


@pytest.mark.long
def test_the_doctor_finds_neon_and_the_same_libraries(extension: Extension, tree: Path) -> None:
    assert emulated(tree, "appliance.doctor.probes", "fast-jpeg") == probes.fast_jpeg() | {"kernels": "neon"}


@pytest.mark.long
def test_every_size_has_the_same_bytes_as_on_this_processor(extension: Extension, tree: Path, tmp_path: Path) -> None:
    dense = pictures.photo(4000, 3000, quality=88)
    assert len(dense) > DENSE_BYTES
    files = {name: make() for name, make in (CASES | LEFT).items()} | {"dense": dense}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    here = digests(tmp_path)
    assert {name for name, made in here.items() if made == [None] * len(made)} == set(LEFT)
    assert emulated(tree, "tests.imaging.fast_jpeg.digests", tmp_path) == here
