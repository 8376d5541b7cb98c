"""Do small uploads stay fast while a giant one is received, and while it is shipped to MinIO?

Each small upload of 1 MB is in MinIO before its reply. Rounds with and without the giant alternate, so that other load
on the machine affects both. The first argument is the giant's size in gigabytes (10); it needs four times that on disk.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import RunningServer, distinct, report, server, spread
from benchmarks.inputs.photographs import mean_photo
from benchmarks.load.large_files import large_picture, post
from benchmarks.peers.minio import store_settings
from tests.support.images.pictures import camera_photo
from tests.support.servers import minio_server

GB = 10**9
ALONE = 60  # before the giant, and again after it
PAUSE_S = 0.05


class Small:
    """Uploads of 1 MB, one after the other, and how long each took."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._file = folder / "small.jpg"
        self._photo = mean_photo()
        self._sent = 0

    def upload(self) -> float:
        """Seconds to the reply, when the store has it."""
        self._sent += 1
        self._file.write_bytes(distinct(self._photo, self._sent))
        answer = post(self._url, self._file)
        return answer.came_s - answer.began_s

    def some(self, goes_on: Callable[[int], bool]) -> list[float]:
        took: list[float] = []
        while goes_on(len(took)):
            took.append(self.upload())
            time.sleep(PAUSE_S)
        return took


def _waits(running: RunningServer) -> bool:
    """Whether the giant is on its way to the store still; small ones are there before their replies."""
    return any(path.stat().st_size > GB // 10 for path in (running.data_dir / "spool/landed").iterdir())


def _measured(running: RunningServer, giant: Path, folder: Path) -> tuple[dict[str, list[float]], str]:
    small = Small(running.url, folder)
    took: dict[str, list[float]] = {"warming up": small.some(lambda done: done < 10)}
    took["alone, before"] = small.some(lambda done: done < ALONE)
    sending = threading.Thread(target=post, args=(running.url, giant))
    began_s = time.perf_counter()
    sending.start()
    took["while a giant is received"] = small.some(lambda _done: sending.is_alive())
    sending.join()
    received_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    took["while it is shipped"] = small.some(lambda _done: _waits(running))
    shipped_s = time.perf_counter() - began_s
    took["alone, after"] = small.some(lambda done: done < ALONE)
    size = giant.stat().st_size / 1e6
    rate = f"received at {size / received_s:,.0f} MB/s, shipped at {size / max(shipped_s, 1e-3):,.0f} MB/s"
    del took["warming up"]
    return took, rate


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory(prefix="appliance-beside-") as name:
        folder = Path(name)
        giant = folder / "giant.jpg"
        large_picture(giant, camera_photo(), int(gigabytes * GB))
        with minio_server(folder / "minio") as minio, server(**store_settings(minio), RENDITIONS_PREWARM="") as running:
            took, rate = _measured(running, giant, folder)
    load = " ".join(f"{figure:.1f}" for figure in os.getloadavg())
    report(
        "small_uploads_during_large_upload",
        f"Do small uploads keep their speed beside a giant? ({gigabytes:g} GB, {rate}; load at the end {load})",
        ("1 MB uploads, in MinIO before the reply", "ms: median (p5-p95)", "most", "of"),
        [(what, spread(times), f"{max(times) * 1000:.0f}", str(len(times))) for what, times in took.items() if times],
    )


if __name__ == "__main__":
    main()
