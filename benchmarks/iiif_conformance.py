"""Does a real server pass the IIIF validator: Image API 3.0, every test up to level 2?"""

import urllib.request

from benchmarks.harness import report, server
from tests.support.iiif_validator import AGAINST_THE_SPECIFICATION, judged, load_validator, squares


def main() -> None:
    load_validator()
    with server() as running:
        slug = uploaded(running.url)
        found = judged(int(running.url.rpartition(":")[2]), slug)
    report(
        "iiif_conformance",
        f"What does iiif-validator find? {sum(not fault for fault in found.values())} of {len(found)} tests pass",
        ("test", "verdict"),
        [(name, verdict(name, fault)) for name, fault in found.items()],
    )


def uploaded(url: str) -> str:
    request = urllib.request.Request(f"{url}/squares.png", squares(), method="PUT")
    with urllib.request.urlopen(request) as reply:
        return str(reply.read().decode().strip().rpartition("/")[2])


def verdict(name: str, fault: str) -> str:
    if not fault:
        return "passes"
    if name in AGAINST_THE_SPECIFICATION:
        return "wants 400 where section 4.2 of the specification has a picture as large as the region"
    return fault.partition(": ")[0]


if __name__ == "__main__":
    main()
