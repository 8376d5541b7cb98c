"""Pictures that carry everything: each tag that exiftool can write, in every block that a format has."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.images import pictures
from tests.support.programs import require

_GROUPS = ("EXIF", "IPTC", "XMP", "Photoshop")
_DATES = ("DateTimeOriginal", "CreateDate", "ModifyDate")
_NEVER = ("-EXIF:Orientation#=6", "-EXIF:GPSLatitude=48.2083", "-EXIF:GPSLatitudeRef=N")
_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_RIGHTS = (
    "-EXIF:Copyright=(c) somebody",
    "-IPTC:CopyrightNotice=(c) somebody",
    "-IPTC:Credit=Photo Agency",
    "-XMP-dc:Rights=(c) somebody",
    "-XMP-photoshop:Credit=Photo Agency",
    "-XMP-xmpRights:WebStatement=https://licence.example/1",
    "-XMP-plus:LicensorURL=https://licence.example/2",
    "-XMP-cc:License=https://licence.example/3",
    f"-XMP-iptcExt:DigitalSourceType={_SYNTHETIC}",
)
PROTECTED = {"(c) somebody", "Photo Agency", _SYNTHETIC, *(f"https://licence.example/{number}" for number in (1, 2, 3))}
_STRUCTURE = re.compile(
    "BitsPerSample|Cell(Length|Width)|Compression|FillOrder|GrayResponseUnit|Image(Height|Width)|InkSet|(Old)?SubfileType"
    "|PhotometricInterpretation|PlanarConfiguration|Predictor|RowsPerStrip|SampleFormat|SamplesPerPixel|Thresholding"
    "|Tile(Length|Width)|YCbCr(Coefficients|SubSampling)|ReferenceBlackWhite|CFA.*|DNG(Backward)?Version|ResolutionUnit"
    "|ApplicationNotes|IPTC-NAA|PhotoshopSettings|XMP"
)
"""What makes a picture one, and the blocks that have tags of their own."""


def exiftool() -> str:
    """The program, without which the tests of a machine that promises it fail."""
    found = shutil.which("exiftool")
    if found is None:
        require("exiftool", "Debian's libimage-exiftool-perl brings it")
    return str(found)


def _names(group: str) -> list[str]:
    said = subprocess.run([exiftool(), "-listw", f"-{group}:All"], capture_output=True, text=True, check=True).stdout
    return [name for name in said.partition(":")[2].split() if not _STRUCTURE.fullmatch(name)]


@cache
def rich(format: str) -> bytes:
    """A picture of this format with thousands of tags, each of which says 7, and some that laws protect."""
    plain = pictures.saved(pictures.quarters(64, 48), {"jpg": "jpeg", "tif": "tiff"}.get(format, format))
    wanted = [f"-{group}:{name}=7" for group in _GROUPS for name in _names(group)]
    wanted += [f"-EXIF:{name}=2024:05:06 07:08:09" for name in _DATES]
    with TemporaryDirectory() as folder:
        path, options = Path(folder, f"rich.{format}"), Path(folder, "options")
        path.write_bytes(plain)
        options.write_text("\n".join(["-m", "-q", "-q", "-overwrite_original", *wanted, *_RIGHTS, *_NEVER]))
        subprocess.run([exiftool(), "-@", str(options), str(path)], capture_output=True, check=False)
        return path.read_bytes()


def told(data: bytes, format: str) -> dict[str, list[str]]:
    """What exiftool finds, known and unknown: values by group and name. What it works out itself is left out."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"picture.{format}")
        path.write_bytes(data)
        command = [exiftool(), "-a", "-G1", "-s", "-t", "-ee", "-u", "-U", str(path)]
        lines = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    found: dict[str, list[str]] = {}
    for line in lines.splitlines():
        group, name, *value = line.split("\t")
        if group not in ("File", "System", "Composite", "ExifTool") or name in ("Warning", "Error", "Comment"):
            found.setdefault(f"{group}:{name}", []).append("\t".join(value))
    return found
