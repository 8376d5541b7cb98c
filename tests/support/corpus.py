"""What becomes of every image below a folder: each is uploaded to a real server, its sizes compared with Pillow's.

    python -m tests.support.corpus FOLDER…

Prints a line for each file that went wrong or that another decoder sees differently, then what exiftool still finds in
originals that are said to be clean, and counts. It was made for the test images in other projects' source archives.
"""

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image, ImageCms, ImageOps

from tests.support.programs import free_port
from tests.support.server_process import serving

SUFFIXES = frozenset((".apng", ".avif", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SIZES = ("thumbnail.jpg", "small.png", "medium.webp", "large.jpg")
COMPARED, BOX_PX = "small.png", 512
MAX_BYTES, AT_ONCE, MAX_APART = 200_000_000, 2, 6.0
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF")
_GLANCE_PX, _GREY = 32, (128, 128, 128, 255)
_CLEAN = ("none", "removed")


@dataclass
class Outcome:
    """A file, what the server made of it (`state`, or the code of its refusal), and what is wrong with that."""

    path: Path
    state: str = ""
    private_data: str = ""
    is_compared: bool = False
    faults: list[str] = field(default_factory=list)


def images(folders: list[Path]) -> Iterator[Path]:
    """Every file that is an image by its first bytes or its name; of equal ones the first."""
    seen = set()
    for path in sorted(each for folder in folders for each in folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES or not _is_image(path):
            continue
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            yield path


def _is_image(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    is_known = head.startswith(MAGIC) or head[4:8] == b"ftyp" or (head[:4], head[8:]) == (b"RIFF", b"WEBP")
    return is_known or path.suffix.lower() in SUFFIXES


def reference(path: Path) -> Image.Image | None:
    """What Pillow sees, upright and in sRGB; None where it can't read the file, or shows numbers of its own."""
    try:
        with Image.open(path, formats=FORMATS) as opened:
            opened.load()
            is_of_numbers = opened.mode == "F" or opened.mode.startswith("I")
            return None if is_of_numbers else _in_srgb(ImageOps.exif_transpose(opened))
    except Exception:  # whatever a decoder of its own raises of damaged files
        return None


def _in_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB as RGBA, without a profile; by its numbers alone where the profile isn't one of its colours."""
    profile = image.info.pop("icc_profile", None)
    image = image if image.mode in ("RGB", "RGBA", "CMYK", "L") else image.convert("RGBA")
    if profile:
        try:
            srgb, mode = ImageCms.createProfile("sRGB"), "RGBA" if image.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(
                image, io.BytesIO(profile), srgb, ImageCms.Intent.RELATIVE_COLORIMETRIC, mode
            )
        except ImageCms.PyCMSError:
            converted = None
        image = converted or image
        image.info.pop("icc_profile", None)
    return image.convert("RGBA")


def apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures, of 255, at a glance and over grey."""
    glances = []
    for image in (one, other):
        grey = Image.new("RGBA", image.size, _GREY)
        small = Image.alpha_composite(grey, _in_srgb(image)).convert("RGB")
        glances.append(small.resize((_GLANCE_PX, _GLANCE_PX), Image.Resampling.BOX).tobytes())
    one_glance, other_glance = glances
    return float(sum(abs(a - b) for a, b in zip(one_glance, other_glance, strict=True)) / len(one_glance))


class Trial:
    """A server, and the files that are tried on it; what it serves as originals is written to `originals`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, originals: Path) -> None:
        self._url = url
        self._session = session
        self._originals = originals
        self._free = asyncio.Semaphore(AT_ONCE)
        self._count = 0

    async def outcome(self, path: Path) -> Outcome:
        async with self._free:
            outcome = Outcome(path)
            try:
                await self._fill(outcome)
            except (aiohttp.ClientError, TimeoutError) as error:
                outcome.faults.append(f"no answer: {error!r}")
            return outcome

    async def _fill(self, outcome: Outcome) -> None:
        address = f"{self._url}/api/v1/images?filename=file"
        async with self._session.post(address, data=outcome.path.read_bytes()) as reply:
            said: dict[str, Any] = await reply.json()
        seen = await asyncio.to_thread(reference, outcome.path)
        outcome.is_compared = seen is not None
        if reply.status != 201:
            outcome.state = str(said.get("code", reply.status))
            if reply.status >= 500 or seen is not None:
                outcome.faults.append(f"refused with {reply.status}, while Pillow {'reads it' if seen else 'does not'}")
            return
        outcome.state, outcome.private_data = said["state"], said["private_data"]
        await self._original(outcome, said)
        if said["state"] == "ready":
            await self._sizes(outcome, said, seen)
        elif seen is not None:
            outcome.faults.append(f"original-only, while Pillow reads it: {said['problem']}")

    async def _original(self, outcome: Outcome, said: dict[str, Any]) -> None:
        status, data = await self._get(said["original"]["url"])
        if status != 200 or hashlib.sha256(data).hexdigest() != said["sha256"]:
            outcome.faults.append(f"the original answers {status}, or with other bytes than its sha256 says")
        elif said["private_data"] in _CLEAN:
            self._count += 1
            suffix = said["media_type"].rpartition("/")[2]
            (self._originals / f"{self._count}-{outcome.path.stem[:80]}.{suffix}").write_bytes(data)

    async def _sizes(self, outcome: Outcome, said: dict[str, Any], seen: Image.Image | None) -> None:
        for size in SIZES:
            status, data = await self._get(f"{said['url']}/{size}")
            if status != 200:
                outcome.faults.append(f"{size} answers {status}: {data[:300].decode(errors='replace')}")
            elif size == COMPARED and seen is not None:
                outcome.faults += await asyncio.to_thread(_differences, said, data, seen)

    async def _get(self, address: str) -> tuple[int, bytes]:
        async with self._session.get(address) as reply:
            return reply.status, await reply.read()


def _differences(said: dict[str, Any], data: bytes, seen: Image.Image) -> list[str]:
    size = Image.open(io.BytesIO(data))
    size.load()
    found = []
    if (said["width"], said["height"]) != seen.size:
        found.append(f"{said['width']} x {said['height']} px, while Pillow sees {seen.width} x {seen.height}")
    if seen.height > 3 * seen.width:
        seen = seen.crop((0, 0, seen.width, round(seen.width * size.height / size.width)))
    if (distance := apart(size, seen)) > MAX_APART:
        found.append(f"{distance:.0f} of 255 apart from what Pillow sees")
    return found


def left_over(folder: Path) -> Counter[str]:
    """How many originals have each tag that exiftool finds, but for those about the file and its coding."""
    command = ["exiftool", "-a", "-G1", "-ee", "-u", "-j", "-q", "-r", str(folder)]
    answer = subprocess.run(command, capture_output=True, check=False).stdout
    tags: Counter[str] = Counter()
    for told in json.loads(answer or b"[]"):
        tags.update(tag for tag in told if not tag.startswith(("SourceFile", "File:", "ExifTool:", "System:", "ICC")))
    return tags


async def deaths(session: aiohttp.ClientSession, port: int) -> int:
    """How many workers died so far."""
    async with session.get(f"http://127.0.0.1:{port}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    return round(sum(float(line.split()[-1]) for line in lines if "worker_deaths_total" in line and line[0] != "#"))


async def main(folders: list[Path]) -> None:
    port = free_port()
    settings = {"APPLIANCE_SERVER_METRICS_LISTEN": f"127.0.0.1:{port}", "APPLIANCE_CACHE_DISK_BYTES": "200000000"}
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        originals = Path(name, "originals")
        originals.mkdir()
        async with serving(Path(name, "data"), **settings) as served, aiohttp.ClientSession() as session:
            trial = Trial(served.url, session, originals)
            outcomes = [await each for each in asyncio.as_completed([trial.outcome(one) for one in images(folders)])]
            died = await deaths(session, port)
        for outcome in sorted(outcomes, key=lambda each: each.path):
            for fault in outcome.faults:
                print(f"{outcome.path}: {outcome.state}: {fault}")
        for tag, count in sorted(left_over(originals).items()):
            print(f"left in {count}: {tag}")
    compared = sum(each.is_compared for each in outcomes)
    states = dict(Counter(each.state for each in outcomes))
    print(f"{len(outcomes)} files, {compared} of them compared; {states}; {died} workers died")


if __name__ == "__main__":
    asyncio.run(main([Path(each) for each in sys.argv[1:]]))
