"""The C extension: kernels, what happens without it, and that workers use it."""

import shutil
from pathlib import Path

import PIL
import pytest

from appliance.domain.renditions import Format
from appliance.imaging.planes import extension as module
from appliance.imaging.planes.extension import LIBRARY, Extension, PlaneSize
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.workers import rendered, target

SIZES = (PlaneSize((1023, 835), None, 81, effort=0), PlaneSize((211, 172), 0, 81, effort=1))


def with_kernels(name: str, folder: Path) -> Extension:
    """A copy of the library has kernels of its own."""
    return Extension(Path(shutil.copy(LIBRARY, folder / f"{name}.so")), name)


def test_all_kernels_give_the_same_bytes(extension: Extension, tmp_path: Path) -> None:
    plain, fastest = with_kernels("plain", tmp_path), with_kernels(extension.kernels, tmp_path)
    for shrink in (1, 2, 4):
        files = [one.render(pictures.camera_photo(), SIZES, shrink=shrink, orientation=6) for one in (plain, fastest)]
        assert files[0] is not None
        assert files[0] == files[1]


def test_kernels_of_another_processor_are_refused(extension: Extension, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no such kernels"):
        with_kernels("of-a-vax", tmp_path)


def test_a_missing_library_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        Extension(tmp_path / "missing.so")


def test_a_pillow_without_a_libjpeg_of_its_own_says_so(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL, "__path__", [str(tmp_path / "PIL")])
    with pytest.raises(OSError, match="Pillow brings no libjpeg-turbo"):
        Extension()


def test_a_library_that_is_no_libjpeg_is_refused(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "libjpeg", lambda: LIBRARY)
    with pytest.raises(OSError, match="jpeg_std_error"):
        with_kernels("plain", tmp_path)


@pytest.mark.asyncio(loop_scope="session")
async def test_workers_use_it(extension: Extension, workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.camera_photo(), target("medium", Format.JPG))
    size = PlaneSize((made.width, made.height), None, 81, effort=0)
    assert [made.data] == extension.render(pictures.camera_photo(), [size], shrink=2, orientation=1)
