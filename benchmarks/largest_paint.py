"""How soon does a phone on a slow line see a shared photograph, once its page formats are made?"""

import argparse
import json
import os
import statistics
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.harness import RunningServer, report, server
from tests.support.browser.chromium import CHROMIUM_FLAGS
from tests.support.images.pictures import camera_photo
from tests.support.programs import chromium_program

LIMIT_S = 60
LINES = {"fast 4G": (9.0, 60), "slow 4G": (1.44, 150), "slow 3G": (0.4, 400)}
"""Mbit/s down, and milliseconds of latency."""
Screen = dict[str, Any]
SCREENS: dict[str, Screen] = {
    "phone 412 x 839, 2.6": {
        "viewport": {"width": 412, "height": 839},
        "device_scale_factor": 2.625,
        "is_mobile": True,
        "has_touch": True,
    },
    "desk 1280 x 800, 1": {"viewport": {"width": 1280, "height": 800}},
}
PAINT = """() => new Promise((tell, fail) => {
    setTimeout(() => fail(new Error("no paint of the image was reported")), 30000);
    const image = document.querySelector("#shown");
    new PerformanceObserver((list) => {
        const paints = list.getEntries().filter((paint) => paint.element === image && paint.url === image.currentSrc);
        if (!paints.length) return;
        const { encodedBodySize } = performance.getEntriesByName(image.currentSrc)[0];
        tell([paints.at(-1).startTime, encodedBodySize, image.currentSrc.split("/").at(-1)]);
    }).observe({ type: "largest-contentful-paint", buffered: true });
})"""


@dataclass(frozen=True, slots=True)
class Paint:
    """The largest paint of one load: when, and of which file."""

    at_ms: float
    bytes: int
    file: str


@contextmanager
def slow_page(browser: Browser, line: tuple[float, int], options: Screen) -> Iterator[Page]:
    """A page on this line, with an empty cache."""
    mbits, latency_ms = line
    context = browser.new_context(**options)
    try:
        page = context.new_page()
        page.set_default_timeout(LIMIT_S * 1000)
        speed = mbits * 1e6 / 8
        conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": speed, "uploadThroughput": speed}
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", conditions)
        yield page
    finally:
        context.close()


def paint(browser: Browser, url: str, screen: Screen, line: tuple[float, int]) -> Paint:
    """One load with an empty cache."""
    with slow_page(browser, line, screen) as page:
        page.goto(url, wait_until="load")
        return Paint(*page.evaluate(PAINT))


def shared(running: RunningServer) -> str:
    """The address of a photograph, once its page names a large AVIF."""
    address = f"{running.url}/api/v1/images?filename=photo.jpg"
    with urllib.request.urlopen(urllib.request.Request(address, data=camera_photo(), method="POST")) as reply:
        url = str(json.load(reply)["url"])
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        with urllib.request.urlopen(url) as reply:
            if b"large.avif 2048w" in reply.read():
                return url
        time.sleep(0.25)
    raise SystemExit("the host was not idle long enough")


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        yield started
        started.close()


def row(screen: str, line: str, paints: list[Paint]) -> tuple[str, ...]:
    times_s = [each.at_ms / 1000 for each in paints]
    spread = f"{statistics.median(times_s):.2f} s ({min(times_s):.2f}-{max(times_s):.2f})"
    return screen, line, paints[0].file, f"{paints[0].bytes / 1000:.0f} KB", spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="loads of each page")
    parser.add_argument("--lines", nargs="+", choices=LINES, default=["slow 4G"])
    arguments = parser.parse_args()
    rows = []
    with browser() as opened, server() as running:
        url = shared(running)
        for screen, options in SCREENS.items():
            for line in arguments.lines:
                paints = [paint(opened, url, options, LINES[line]) for _ in range(arguments.runs)]
                rows.append(row(screen, line, paints))
    question = (
        f"A photograph of 2725 x 2225 pixels, {arguments.runs} loads with an empty cache, throttled by Chromium; the"
        f" largest paint as median (range); load at the end {os.getloadavg()[0]:.1f}."
    )
    report("largest_paint", question, ("screen", "line", "file", "bytes", "largest paint"), rows)


if __name__ == "__main__":
    main()
