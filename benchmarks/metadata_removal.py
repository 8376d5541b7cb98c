"""Is everything private removed from originals, by format and by the place where it can hide?

exiftool decides, asked for everything it can find: embedded, unknown and binary data. Each cell shows the reply's
`private_data`, then what exiftool finds in the original that the server sends. `python -m benchmarks.metadata_removal`
"""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import report, server
from tests.support.images import hidden_places, private_pictures

WISHES = ("false", "credits", "true")
TAGS = {
    "the position": r"GPS(?:Latitude|Longitude)|Location|City",
    "serial numbers, the owner": r"SerialNumber|OwnerName",
    "the maker note": r"MakerNote",
    "dates": r"DateTimeOriginal|CreateDate",
    "the camera": r"Make|Model",
    "the copyright notice, the credit": r"Copyright|Credit",
}
PICTURES: dict[str, Callable[[], bytes]] = {
    "jpg": private_pictures.jpeg,
    "png": private_pictures.png,
    "gif": private_pictures.gif,
    "webp": private_pictures.webp,
    "tiff": private_pictures.tiff,
    "avif": private_pictures.avif,
    "heic": private_pictures.heic,
}
HEADER = ("format", "place", "as sent", *(f"keep_metadata={wish}" for wish in WISHES))


Told = dict[str, object]
"""What exiftool says of a file: tags with their groups."""


@dataclass(frozen=True, slots=True)
class Case:
    """A picture with something in a place: it was sent with each wish; `pattern` is for the tags that tell it."""

    ending: str
    where: str
    sent: bytes
    pattern: str | None = None


class Originals:
    """The files that exiftool is asked about, all of them at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, Told] = {}

    def add(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)

    def ask(self) -> None:
        command = ["exiftool", "-a", "-G1", "-ee", "-u", "-U", "-b", "-j", str(self._folder)]
        answer = subprocess.run(command, capture_output=True, check=False).stdout
        self._told = {Path(str(one["SourceFile"])).name: one for one in json.loads(answer)}

    def found(self, name: str, case: Case) -> str:
        """Who finds it: the groups of exiftool's that tell it, or only somebody who looks at the bytes."""
        told = self._told[name]
        if case.pattern is not None:
            tag = re.compile(rf"(?!Composite)[^:]+:(?:{case.pattern})\w*")
            groups = dict.fromkeys(
                each.partition(":")[0] for each, value in told.items() if tag.fullmatch(each) and value
            )
            return ", ".join(groups) or "nothing"
        if any(hidden_places.SECRET in plain(value) for value in told.values()):
            return "found"
        return "in the bytes" if hidden_places.SECRET in (self._folder / name).read_bytes() else "nothing"


def plain(value: object) -> bytes:
    """A value of exiftool's as bytes."""
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    return base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode()


def upload(url: str, case: Case, wish: str) -> tuple[str, bytes]:
    """What the reply says, and the original as it is served."""
    address = f"{url}/api/v1/images?filename=a.{case.ending}&keep_metadata={wish}"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=case.sent, method="POST")) as reply:
            image = json.load(reply)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{case.ending}, {case.where}: {refused.read().decode()}")
    signed = image.get("content_credentials", "none")
    said = image["private_data"] if signed != "removed" else f"{image['private_data']}, credentials {signed}"
    with urllib.request.urlopen(f"{url}/i/{image['slug']}/original") as reply:
        return said, reply.read()


def cases() -> list[Case]:
    pictures = {ending: make() for ending, make in PICTURES.items()}
    told = [Case(ending, what, sent, tags) for ending, sent in pictures.items() for what, tags in TAGS.items()]
    return told + [Case(place.ending, place.where, place.make()) for place in hidden_places.PLACES]


def rows(url: str, folder: Path) -> list[Sequence[str]]:
    originals, said = Originals(folder), dict[str, str]()
    every = cases()
    for number, case in enumerate(every):
        originals.add(f"{number}-sent.{case.ending}", case.sent)
        for wish in WISHES:
            name = f"{number}-{wish}.{case.ending}"
            said[name], data = upload(url, case, wish)
            originals.add(name, data)
    originals.ask()
    found: list[Sequence[str]] = []
    for number, case in enumerate(every):
        names = [f"{number}-{wish}.{case.ending}" for wish in WISHES]
        before = originals.found(f"{number}-sent.{case.ending}", case)
        if before != "nothing":
            found.append(
                (case.ending, case.where, before, *(f"{said[name]}: {originals.found(name, case)}" for name in names))
            )
    return found


def main() -> None:
    if shutil.which("exiftool") is None:
        sys.exit("skipped: exiftool is missing; Debian's libimage-exiftool-perl brings it")
    with server(RENDITIONS_PREWARM="") as running, tempfile.TemporaryDirectory() as folder:
        table = rows(running.url, Path(folder))
    report(
        "metadata_removal",
        "What is left of what a picture carries beyond a picture, beside what our reply says?",
        HEADER,
        table,
    )


if __name__ == "__main__":
    main()
