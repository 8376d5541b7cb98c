"""Runs wrk, which asks for one address again as soon as it is answered."""

import shutil
import subprocess

from benchmarks.peers import Missing


def wrk(url: str, *, connections: int, seconds: int, refused: bool = False) -> float:
    """Answers a second over keep-alive connections, which may be refusals if `refused`. Raises Missing."""
    program = shutil.which("wrk")
    if program is None:
        raise Missing("wrk: Debian package wrk")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text and not refused:
        raise SystemExit(text)
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("Requests/sec"))
