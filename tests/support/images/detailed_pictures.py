"""Pictures that say how and by whom they were made, in each format that can."""

import functools
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from tests.support.images import pictures
from tests.support.images.rich_pictures import exiftool

CAMERA: dict[str, Any] = {
    "camera": "Canon EOS R5",
    "lens": "Canon RF50mm F1.8 STM",
    "focal_length_mm": 50.0,
    "focal_length_35mm": 75,
    "aperture": 1.8,
    "exposure_s": 0.008,
    "iso": 100,
    "taken": "2024-05-06T07:08:09+02:00",
    "author": "Ada Example",
}
"""What stays under CREDITS."""
RIGHTS = {"copyright": "© Ada Example", "colour_profile": "sRGB built-in"}
"""What always stays."""
WHOLE = {"caption": "A bridge in the fog", "latitude": -33.856944, "longitude": 151.215278}
FORMATS = {"jpg": "jpeg", "png": "png", "webp": "webp", "avif": "avif"}


def exif(main: Mapping[int, object] | None = None, details: Mapping[int, object] | None = None) -> Image.Exif:
    """A block with everything of the above, and what is given besides or instead."""
    block, tags = Image.Exif(), ExifTags.Base
    block.update({tags.Make: "Canon", tags.Model: "Canon EOS R5", tags.Artist: "Ada Example"})
    block.update({tags.Copyright: "© Ada Example".encode(), tags.ImageDescription: "A bridge in the fog"})
    block.update(main or {})
    block.get_ifd(ExifTags.IFD.Exif).update(
        {
            tags.LensMake: "Canon",
            tags.LensModel: "RF50mm F1.8 STM",
            tags.FocalLength: IFDRational(50),
            tags.FocalLengthIn35mmFilm: 75,
            tags.FNumber: IFDRational(18, 10),
            tags.ExposureTime: IFDRational(1, 125),
            tags.ISOSpeedRatings: 100,
            tags.DateTimeOriginal: "2024:05:06 07:08:09",
            tags.OffsetTimeOriginal: "+02:00",
        }
        | dict(details or {})
    )
    block.get_ifd(ExifTags.IFD.GPSInfo).update({1: "S", 2: (33.0, 51.0, 25.0), 3: "E", 4: (151.0, 12.0, 55.0)})
    return block


@functools.cache
def detailed(format: str) -> bytes:
    """A picture of one of `FORMATS`, a HEIC or a TIFF, with all of it."""
    if format == "heic":
        return pictures.heic_of(detailed("png"), "png")
    if format == "tif":
        return _tiff()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return pictures.saved(pictures.quarters(64, 48), FORMATS[format], exif=exif(), icc_profile=profile)


def _tiff() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "in.jpg"), Path(folder, "out.tif")
        source.write_bytes(detailed("jpg"))
        result.write_bytes(pictures.saved(pictures.quarters(64, 48), "tiff"))
        options = ["-q", "-overwrite_original", "-tagsfromfile", str(source), "-all:all", "-icc_profile"]
        subprocess.run([exiftool(), *options, str(result)], check=True)
        return result.read_bytes()


def jpeg_with(block: Image.Exif | bytes) -> bytes:
    return pictures.saved(pictures.quarters(64, 48), "jpeg", exif=block)


def raw_exif(*entries: tuple[int, int, int, bytes], behind: bytes = b"") -> bytes:
    """A little-endian block of one directory with these entries (tag, type, count, four bytes), and what follows it."""
    table = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3].ljust(4, b"\0")[:4] for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + bytes(4) + behind
