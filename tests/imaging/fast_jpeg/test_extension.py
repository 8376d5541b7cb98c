"""The C extension: kernels, what happens without it, and that workers use it."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import PIL
import pytest
from PIL import Image

from appliance.domain.renditions import Format
from appliance.imaging.encoders import jpeg_quality
from appliance.imaging.fast_jpeg import extension as module
from appliance.imaging.fast_jpeg.extension import LIBRARY, Extension, WantedSize
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.programs import ROOT, require
from tests.support.workers import rendered, target

SIZES = (WantedSize((1023, 835), None, 81, effort=0), WantedSize((211, 172), 0, 81, effort=1))


def with_kernels(name: str, folder: Path) -> Extension:
    """A copy of the library has kernels of its own."""
    return Extension(Path(shutil.copy(LIBRARY, folder / f"{name}.so")), name)


def test_all_kernels_give_the_same_bytes(extension: Extension, tmp_path: Path) -> None:
    if extension.kernels == "plain":
        pytest.skip(f"this processor ({platform.machine()}) has no faster kernels, such as avx2 or neon")
    plain, fastest = with_kernels("plain", tmp_path), with_kernels(extension.kernels, tmp_path)
    for shrink in (1, 2, 4):
        files = [one.render(pictures.camera_photo(), SIZES, shrink=shrink, orientation=6) for one in (plain, fastest)]
        assert files[0] is not None
        assert files[0] == files[1]


def test_enlarging_by_more_than_the_rows_that_are_kept_is_left_to_libvips(extension: Extension) -> None:
    picture = pictures.opened(pictures.small_photo("coffee")).convert("RGB").resize((100, 100))
    source = pictures.saved(picture, "jpeg", quality=95)

    def enlarged(side: int) -> list[bytes] | None:
        size = WantedSize((side, side), None, 90, effort=0)
        return extension.render(source, [size], shrink=1, orientation=1)

    assert enlarged(401) is None
    made = enlarged(400)
    assert made is not None
    assert (
        distance(pictures.opened(made[0]), pictures.opened(source).resize((400, 400), Image.Resampling.LANCZOS)) < 2.5
    )


def test_kernels_of_another_processor_are_refused(extension: Extension, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no such kernels"):
        with_kernels("of-a-vax", tmp_path)


def test_a_missing_library_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        Extension(tmp_path / "missing.so")


def test_a_library_of_another_release_says_so(extension: Extension) -> None:
    with pytest.raises(OSError, match="is of another release"):
        Extension(module.libjpeg())


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


def stand_in(folder: Path) -> Path:
    """A library with libjpeg's functions that refuses every structure."""
    if shutil.which("gcc") is None:
        require("gcc", "it compiles a library that stands in for libjpeg")
    names = {*re.findall(r"X\((jpeg_\w+)\)", (ROOT / "appliance/imaging/fast_jpeg/native/libjpeg.h").read_text())}
    source, library = folder / "libjpeg.c", folder / "libjpeg.so"
    refusing = "void jpeg_CreateDecompress(void (***codec)(void *)) { (**codec)(codec); }"  # error_exit of its errors
    others = "".join(f"void {name}(void) {{}}\n" for name in names - {"jpeg_std_error", "jpeg_CreateDecompress"})
    source.write_text(f"void *jpeg_std_error(void *errors) {{ return errors; }}\n{refusing}\n{others}")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def test_a_libjpeg_of_another_version_is_refused(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stand_in(tmp_path)
    monkeypatch.setattr(module, "libjpeg", lambda: other)
    with pytest.raises(OSError, match="another version"):
        with_kernels("plain", tmp_path)


def test_libraries_are_found_in_every_place_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = tmp_path / "second/pillow.libs/libjpeg-1.so.62.1"
    second.parent.mkdir(parents=True)
    second.touch()
    monkeypatch.setattr(PIL, "__path__", [str(tmp_path / "first/PIL"), str(tmp_path / "second/PIL")])
    assert module.libjpeg() == second


@pytest.mark.asyncio(loop_scope="session")
async def test_workers_use_it(extension: Extension, workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.camera_photo(), target("medium", Format.JPG))
    shown = (made.width, made.height)
    size = WantedSize(shown, None, jpeg_quality(shown), effort=0)
    assert [made.data] == extension.render(pictures.camera_photo(), [size], shrink=2, orientation=1)
