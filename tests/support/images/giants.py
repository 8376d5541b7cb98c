"""Giant pictures for tests and benchmarks: mosaics of real photographs with a camera's noise, written line by line.

Every function writes one file; none holds its picture in memory, but where a format's writer does (progressive JPEG,
interlaced PNG, WebP, AVIF, HEIC).
"""

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyvips

from tests.support.images.pictures import PHOTOS

_TILE_WIDTH, _TILE_HEIGHT = 2800, 2100
# Four of them are wider than the 32 KB in which deflate finds repetitions.
_NOISE, _SEED = 3.3, 20260101
_NAMES = ("astronaut", "chelsea", "coffee", "rocket")


@functools.cache
def _tiles() -> pyvips.Image:
    """Four photographs at a camera's size, side by side."""
    tiles = []
    for number, name in enumerate(_NAMES):
        photo = pyvips.Image.new_from_file(str(PHOTOS / f"{name}.jpg"))
        large = photo.resize(_TILE_WIDTH / photo.width, vscale=_TILE_HEIGHT / photo.height, kernel="cubic")
        noise = pyvips.Image.gaussnoise(_TILE_WIDTH, _TILE_HEIGHT, mean=0, sigma=_NOISE, seed=_SEED + number)
        tiles.append((large + noise).rint().cast("uchar").copy(interpretation="srgb"))
    return pyvips.Image.arrayjoin(tiles, across=4).copy_memory()


def mosaic(width: int, height: int) -> pyvips.Image:
    """The photographs side by side until `width` x `height` is full."""
    tiles = _tiles()
    across, down = -(-width // tiles.width), -(-height // tiles.height)
    return tiles.replicate(across, down).crop(0, 0, width, height)


def jpeg(path: Path, width: int, height: int, *, progressive: bool = False, full_chroma: bool = False) -> None:
    mosaic(width, height).jpegsave(
        str(path), Q=85, interlace=progressive, subsample_mode="off" if full_chroma else "on"
    )


def png(
    path: Path, width: int, height: int, *, interlaced: bool = False, deep: bool = False, alpha: bool = False
) -> None:
    """`deep` is with 16 bits a sample."""
    picture = mosaic(width, height)
    if deep:
        picture = (picture * 257).cast("ushort").copy(interpretation="rgb16")
    if alpha:
        picture = picture.bandjoin(picture[0])
    picture.pngsave(str(path), compression=1, filter="sub", interlace=interlaced)


def tiff(path: Path, width: int, height: int, *, samples: str = "uchar", cmyk: bool = False, **options: object) -> None:
    """`samples` and `options` are libvips's: tile, pyramid, bigtiff, compression, subifd …"""
    picture = mosaic(width, height)
    if cmyk:
        picture = picture.bandjoin(0).copy(interpretation="cmyk")
    if samples == "ushort":
        picture = (picture * 257).cast("ushort").copy(interpretation="rgb16")
    elif samples != "uchar":
        picture = picture.cast(samples)
    compression = "jpeg" if samples == "uchar" and not cmyk else "deflate"
    picture.tiffsave(str(path), **{"compression": compression, "Q": 85, **options})


def webp(path: Path, width: int, height: int, *, lossless: bool = False) -> None:
    mosaic(width, height).webpsave(str(path), Q=80, effort=0, lossless=lossless)


def avif(path: Path, width: int, height: int, **options: object) -> None:
    mosaic(width, height).heifsave(str(path), Q=60, effort=0, compression="av1", **options)


def heic(path: Path, width: int, height: int) -> None:
    """By `heif-enc`, which has to be there."""
    tool = shutil.which("heif-enc")
    assert tool, "heif-enc comes with libheif-examples; use require() first"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.png")
        png(source, width, height)
        subprocess.run(
            [tool, "-q", "60", "-p", "preset=ultrafast", source, "-o", path], check=True, capture_output=True
        )


def animation(path: Path, frames: int, width: int, height: int, *, delay_ms: int = 40) -> None:
    """A camera that pans over the photographs; GIF or WebP, as the path ends."""
    view = mosaic(width + 4 * frames, height + 2 * frames)
    column = pyvips.Image.arrayjoin([view.crop(4 * at, 2 * at, width, height) for at in range(frames)], across=1)
    column = column.copy()
    column.set_type(pyvips.GValue.gint_type, "page-height", height)
    column.set_type(pyvips.GValue.array_int_type, "delay", [delay_ms] * frames)
    column.set_type(pyvips.GValue.gint_type, "loop", 0)
    if path.suffix == ".gif":
        column.gifsave(str(path), effort=1, dither=0)
    else:
        column.webpsave(str(path), Q=80, effort=0)
