"""Runs wrk, which asks for one address again as soon as it is answered."""

import shutil
import subprocess

from benchmarks.peers import Missing


def wrk(url: str, *, connections: int, seconds: int) -> float:
    """Answers a second over keep-alive connections. Raises Missing."""
    program = shutil.which("wrk")
    if program is None:
        raise Missing("wrk: Debian package wrk")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(text)
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("Requests/sec"))
