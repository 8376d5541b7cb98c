"""Photographs of typical sizes and formats, and copies that differ in a comment so that no cache knows them."""

import subprocess
import tempfile
from pathlib import Path

import pyvips

from tests.support.images.pictures import camera_photo

LARGE_PX = (4000, 3266)
PHONE_PX = (4032, 3024)
TURNED_RIGHT = 6  # the EXIF orientation of a photograph taken upright


def mean_photo() -> bytes:
    """The camera's photograph at a higher quality, 1 MB: the mean upload of the design load."""
    return camera_photo(quality=88)


def large_photo() -> bytes:
    """The camera's photograph at 4000 x 3266 pixels, about 4 MB."""
    picture = pyvips.Image.new_from_buffer(camera_photo(), "")
    larger = picture.resize(LARGE_PX[0] / picture.width, vscale=LARGE_PX[1] / picture.height, kernel="cubic")
    noise = pyvips.Image.gaussnoise(*LARGE_PX, mean=0, sigma=6, seed=7)
    noisy = (larger + noise).rint().cast("uchar").copy(interpretation="srgb")
    return bytes(noisy.jpegsave_buffer(Q=90, keep="none"))


def phone_photo() -> bytes:
    """12 megapixels as a phone writes them: lying on its side, in Display P3, with EXIF; about 3 MB."""
    whole = pyvips.Image.new_from_buffer(camera_photo(), "")
    picture = whole.resize(PHONE_PX[0] / whole.width, vscale=PHONE_PX[1] / whole.height, kernel="cubic")
    noisy = (picture + pyvips.Image.gaussnoise(*PHONE_PX, mean=0, sigma=3, seed=9)).rint().cast("uchar")
    wide = noisy.copy(interpretation="srgb").icc_transform("p3", input_profile="srgb").copy()
    wide.set_type(pyvips.GValue.gint_type, "orientation", TURNED_RIGHT)
    return bytes(wide.jpegsave_buffer(Q=86, keep="all"))


def png_photo() -> bytes:
    """A screenshot's size as PNG: 1920 x 1568 pixels of the camera's photograph, smoothed."""
    picture = pyvips.Image.new_from_buffer(camera_photo(), "").resize(1920 / 2725).gaussblur(1.2)
    return bytes(picture.pngsave_buffer(compression=6, keep="none"))


def heic_photo() -> bytes:
    """12 megapixels as HEIC, by heif-enc."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "in.png"), Path(folder, "out.heic")
        pyvips.Image.new_from_buffer(camera_photo(), "").resize(4032 / 2725).pngsave(str(source), compression=1)
        subprocess.run(["heif-enc", "-q", "60", source, "-o", result], check=True, capture_output=True)
        return result.read_bytes()


def distinct_png(data: bytes, number: int) -> bytes:
    """The same PNG as another file: a text chunk behind its header."""
    from zlib import crc32  # noqa: PLC0415 - one chunk's checksum

    text = b"tEXtComment\0copy %08d" % number
    chunk = (len(text) - 4).to_bytes(4, "big") + text + crc32(text).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]
