"""How soon does the upload page accept files on a slow line, in English and in German, which is a script more?"""

import argparse
import os
import statistics

from playwright.sync_api import Browser

from benchmarks.harness import report, server
from benchmarks.largest_paint import LINES, SCREENS, browser, slow_page

PHONE = next(iter(SCREENS.values()))
LOCALES = ("en-GB", "de-DE")
WATCH = """document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("#upload");
    const tell = () => { if (form.dataset.live !== undefined) globalThis.readyMs ??= performance.now(); };
    new MutationObserver(tell).observe(form, { attributeFilter: ["data-live"] });
    tell();
});"""
"""Modules run before this event, so a script that was there by then is seen, too; at most a frame late."""


def ready_s(browser: Browser, url: str, locale: str, line: tuple[float, int]) -> tuple[float, float]:
    """Seconds until the page accepts files, and kilobytes of all its scripts that came by then."""
    with slow_page(browser, line, PHONE | {"locale": locale}) as page:
        page.add_init_script(WATCH)
        page.goto(url, wait_until="load")
        page.locator("#upload[data-live]").wait_for(state="attached")
        ready_ms, script_bytes = page.evaluate("""() => [globalThis.readyMs, performance.getEntriesByType("resource")
            .filter((each) => each.initiatorType === "script" && each.responseEnd <= globalThis.readyMs)
            .reduce((sum, each) => sum + each.encodedBodySize, 0)]""")
        return ready_ms / 1000, script_bytes / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="loads in each language")
    parser.add_argument("--lines", nargs="+", choices=LINES, default=["slow 3G"])
    arguments = parser.parse_args()
    rows = []
    with browser() as opened, server() as running:
        for line in arguments.lines:
            runs: dict[str, list[tuple[float, float]]] = {locale: [] for locale in LOCALES}
            for _ in range(arguments.runs):  # interleaved, so that other work on the machine slows both
                for locale, found in runs.items():
                    found.append(ready_s(opened, f"{running.url}/", locale, LINES[line]))
            for locale, found in runs.items():
                times_s = [seconds for seconds, _ in found]
                spread = f"{statistics.median(times_s):.2f} s ({min(times_s):.2f}-{max(times_s):.2f})"
                rows.append((line, locale, f"{found[0][1]:.1f} KB", spread))
    question = (
        f"The upload page on a phone, {arguments.runs} loads in each language with an empty cache, throttled by"
        f" Chromium; until it accepts files, as median (range); load at the end {os.getloadavg()[0]:.1f}."
    )
    report("upload_page_ready", question, ("line", "language", "scripts", "ready"), rows)


if __name__ == "__main__":
    main()
