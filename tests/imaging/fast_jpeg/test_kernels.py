"""The kernels of this kind of processor, and of another one in an emulator: they give the plain ones' bytes."""

import subprocess
from pathlib import Path

import pytest

from appliance.imaging.fast_jpeg.extension import Extension
from tests.imaging.fast_jpeg.compiling import NATIVE, SANITIZED, compiled, require_aarch64

SOURCES = (Path(__file__).parent / "native/kernels.c", NATIVE / "kernels.c")


def ran(compiler: str, folder: Path, *options: str, emulator: tuple[str, ...] = ()) -> str:
    """The name of the kernels that were held to the plain ones."""
    program = compiled(folder / "kernels", *options, *SOURCES, compiler=compiler)
    found = subprocess.run([*emulator, program], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-4000:]
    return found.stdout.strip()


def test_kernels_give_the_same_bytes_and_touch_no_memory_that_is_not_theirs(
    extension: Extension, tmp_path: Path
) -> None:
    assert ran("gcc", tmp_path, *SANITIZED) == extension.kernels


@pytest.mark.long
def test_kernels_for_arm_give_the_same_bytes(tmp_path: Path) -> None:
    require_aarch64()
    assert ran("aarch64-linux-gnu-gcc", tmp_path, "-O3", "-static", emulator=("qemu-aarch64",)) == "neon"
