"""How fast are the pages on a phone with slow 4G: Lighthouse's scores, bytes of scripts and styles, largest paint?"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, report, server
from tests.support.browser.chromium import CHROMIUM_FLAGS
from tests.support.programs import chromium_program

FOLDER = Path(__file__).with_name("pages")
PROGRAM = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
PHOTO = ROOT / "tests" / "photos" / "coffee.jpg"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
GOAL = 95
LIMIT_S = 240
FLAGS = " ".join(["--headless=new", *CHROMIUM_FLAGS])
ENVIRONMENT = {"NODE_ENV": "production", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp")}


@dataclass(frozen=True, slots=True)
class Look:
    """What one run found."""

    scores: dict[str, float]
    paint_ms: float
    shift: float
    bytes: dict[str, int]
    faults: dict[str, str]

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Look":
        audits, categories = found["audits"], found["categories"]
        requests = audits["network-requests"]["details"]["items"]
        counted = {audit["id"] for each in categories.values() for audit in each["auditRefs"] if audit["weight"]}
        return cls(
            {name: categories[name]["score"] * 100 for name in CATEGORIES},
            audits["largest-contentful-paint"]["numericValue"],
            audits["cumulative-layout-shift"]["numericValue"],
            {
                kind: sum(each["transferSize"] for each in requests if each.get("resourceType") == kind)
                for kind in ("Document", "Script", "Stylesheet", "Image")
            },
            {
                name: str(audits[name]["title"])
                for name in sorted(counted)
                if audits[name]["score"] is not None and audits[name]["score"] < 0.9
            },
        )


def look(url: str) -> Look:
    """Lighthouse's own default: an emulated phone behind a simulated slow 4G line, with a fourfold slower processor."""
    with tempfile.TemporaryDirectory(prefix="appliance-bench-") as folder:
        result = Path(folder, "found.json")
        command = [str(ROOT / "web" / "with-node"), "node", str(PROGRAM), url, "--quiet"]
        command += ["--output=json", f"--output-path={result}"]
        command += [f"--config-path={FOLDER / 'config.js'}", f"--chrome-flags={FLAGS}"]
        environment = ENVIRONMENT | {"CHROME_PATH": chromium_program(), "TMPDIR": folder}
        subprocess.run(command, check=True, env=environment, timeout=LIMIT_S)
        return Look.of(json.loads(result.read_text()))


def row(page: str, looks: Sequence[Look]) -> tuple[str, ...]:
    """One page's line: scores as median (lowest)."""

    def score(name: str) -> str:
        found = [each.scores[name] for each in looks]
        return f"{statistics.median(found):.0f} ({min(found):.0f})"

    first = looks[0]
    return (
        page,
        *(score(name) for name in CATEGORIES),
        f"{statistics.median(each.paint_ms for each in looks) / 1000:.1f} s",
        f"{max(each.shift for each in looks):.3f}",
        *(f"{first.bytes[kind] / 1000:.1f} KB" for kind in ("Document", "Script", "Stylesheet", "Image")),
    )


def _shared(url: str) -> str:
    """The path of a picture that was uploaded a while ago: its sizes are made."""
    request = urllib.request.Request(
        f"{url}/api/v1/images?filename=coffee.jpg&title=Coffee&alt=A+cup+of+coffee",
        data=PHOTO.read_bytes(),
        method="POST",
    )
    with urllib.request.urlopen(request) as reply:
        slug = str(json.load(reply)["slug"])
    time.sleep(5)
    return f"/i/{slug}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="looks at each page")
    arguments = parser.parse_args()
    if not PROGRAM.is_file():
        raise SystemExit("Lighthouse is missing: `make lighthouse` brings it, and runs this.")
    rows, faults = [], set()
    with server() as running:
        for page, path in {"upload page": "/", "share page": _shared(running.url)}.items():
            looks = [look(running.url + path) for _ in range(arguments.runs)]
            rows.append(row(page, looks))
            faults |= {f"{page}: {title} ({name})" for each in looks for name, title in each.faults.items()}
    header = ("page", *CATEGORIES, "largest paint", "shift", "page", "scripts", "styles", "images")
    version = json.loads((PROGRAM.parents[1] / "package.json").read_text())["version"]
    question = (
        f"Lighthouse {version}: a phone behind slow 4G (150 ms, 1.6 Mbit/s), simulated; scores are median (lowest) "
        f"of {arguments.runs}, goal {GOAL}; bytes as transferred, gzipped; load at the end {os.getloadavg()[0]:.1f}.\n"
        "is-crawlable is omitted: share pages are noindex on purpose."
    )
    report("page_speed", question, header, rows)
    print("\n".join(sorted(faults)) or "No audit that counts is below 0.9.")


if __name__ == "__main__":
    main()
