"""Other image servers: each resizes the files of one folder, on all cores and without a cache."""

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT, children, cpu_s, free_port

PEERS = ROOT / "build" / "peers"
START_S = 30.0
QUALITIES = {"jpg": 82, "webp": 80, "avif": 60}
"""A peer's own encoder decides what that means. Ours writes JPEGs with another table, and at 81 up to 512 px."""

_PILLOWS = {"jpg": "jpeg"}


class Missing(Exception):
    """This peer is not installed here."""


@dataclass(frozen=True, slots=True)
class ImagePeer:
    """A running image server; `address` is that of one source (its file's name), a box's pixels and a format."""

    name: str
    process: "subprocess.Popen[bytes]"
    address: Callable[[str, int, str], str]

    def url(self, source: str, box: int, format: str = "jpg") -> str:
        """Where it serves that source in a box of so many pixels; the formats are those of `QUALITIES`."""
        return self.address(source, box, format)

    def cpu_s(self) -> float:
        """Processor seconds of all its processes so far."""
        return cpu_s(self.process.pid, *children(self.process.pid))


@contextlib.contextmanager
def oximg(folder: Path) -> Iterator[ImagePeer]:
    """oximg as it comes, but for the qualities; it has no AVIF unless it is built with it."""
    with _running(
        [_program("oximg", PEERS / "bin" / "oximg")],
        IMAGES_DIR=folder,
        OXIMG_BIND="127.0.0.1",
        QUALITY=QUALITIES["jpg"],
        OXIMG_WEBP_QUALITY=QUALITIES["webp"],
        OXIMG_AVIF_QUALITY=QUALITIES["avif"],
    ) as (port, process):
        base = f"http://127.0.0.1:{port}/resize"
        yield ImagePeer("oximg 0.18.1", process, lambda name, box, format: f"{base}/{box}/{box}/{name}@{format}")


@contextlib.contextmanager
def thumbor(folder: Path) -> Iterator[ImagePeer]:
    """thumbor with a process a core, reading from the folder and storing nothing."""
    settings = folder.parent / "thumbor.conf"
    settings.write_text(
        "LOADER = 'thumbor.loaders.file_loader'\n"
        f"FILE_LOADER_ROOT_PATH = {str(folder)!r}\n"
        "STORAGE = 'thumbor.storages.no_storage'\n"
        f"QUALITY = {QUALITIES['jpg']}\nWEBP_QUALITY = {QUALITIES['webp']}\nAVIF_QUALITY = {QUALITIES['avif']}\n"
        "MAX_AGE = 0\nRESPECT_ORIENTATION = True\n"
    )
    program = _program("thumbor", PEERS / "thumbor" / "bin" / "thumbor")
    words = [program, "--ip", "127.0.0.1", "--processes", str(os.cpu_count()), "--conf", str(settings)]
    with _running(words, port_option="--port") as (port, process):
        base = f"http://127.0.0.1:{port}/unsafe/fit-in"
        yield ImagePeer(
            "thumbor 7.8",
            process,
            lambda name, box, format: f"{base}/{box}x{box}/filters:format({_PILLOWS.get(format, format)})/{name}",
        )


@contextlib.contextmanager
def sharp(folder: Path) -> Iterator[ImagePeer]:
    """sharp behind the smallest server there is, a process a core."""
    node = shutil.which("node")
    script = Path(__file__).parent / "sharp" / "server.mjs"
    if node is None or not (script.parent / "node_modules" / "sharp").exists():
        raise Missing("sharp: run `make bench-peers`, with Node 20 or newer")
    qualities = json.dumps(QUALITIES)
    with _running([node, str(script)], FOLDER=folder, QUALITIES=qualities, PROCESSES=os.cpu_count()) as (port, process):
        base = f"http://127.0.0.1:{port}"
        yield ImagePeer("sharp 0.35", process, lambda name, box, format: f"{base}/{box}/{format}/{name}")


IMAGE_PEERS: Sequence[Callable[[Path], AbstractContextManager[ImagePeer]]] = (oximg, thumbor, sharp)


def _program(name: str, installed: Path) -> str:
    found = str(installed) if installed.exists() else shutil.which(name)
    if found is None:
        raise Missing(f"{name}: run `make bench-peers`")
    return found


@contextlib.contextmanager
def _running(
    command: Sequence[str], *, port_option: str | None = None, **environment: object
) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """The server of `command` on a free port, which it is told by option or as PORT."""
    port = free_port()
    options = [port_option, str(port)] if port_option else []
    variables = os.environ | {name: str(value) for name, value in environment.items()} | {"PORT": str(port)}
    process = subprocess.Popen(
        [*command, *options],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_listening(port, process)
        yield port, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait()


def _wait_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{process.args!r} did not listen")
