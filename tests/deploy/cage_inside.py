"""Hostile code in a worker, run on the machine in a unit like the server's: `python cage_inside.py PROGRAM`.

Prints as JSON what the worker's protections are, and what came of each way out that PROGRAM tried.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from appliance.domain.model import KeepMetadata
from appliance.workers.limits import ResourceLimits
from appliance.workers.process import WorkerProcess
from appliance.workers.protocol import FindPrivate

DATA = Path(os.environ["APPLIANCE_DATA_DIR"])


def hostile(command: list[str], **rest: Any) -> "subprocess.Popen[bytes]":
    return REAL([command[0], "-I", sys.argv[1], *command[4:]], **rest)


async def tried(given: dict[str, Any]) -> dict[str, Any]:
    worker = WorkerProcess(ResourceLimits(10**9, 10**9))
    await worker.ready
    source = os.memfd_create("source")
    os.write(source, json.dumps(given).encode())
    _, (report,) = await worker.call(FindPrivate(KeepMetadata.NOTHING, cpu_s=60), [source], 60)
    worker.kill()
    await worker.exited
    found = json.loads(os.pread(report, 10**6, 0))
    return {"protections": worker.protections, "found": found}


REAL = subprocess.Popen
spared = DATA / "spared-by-the-cage"
spared.touch()
victim = REAL(["/bin/sleep", "600"])
with socket.create_server(("127.0.0.1", 0)) as listener:
    subprocess.Popen = hostile  # type: ignore[misc,assignment]
    given = {
        "victim": victim.pid,
        "port": listener.getsockname()[1],
        "control": str(DATA / "control.sock"),
        "abstract": "none",
        "path": str(spared),
    }
    outcome = asyncio.run(tried(given))
outcome["spared"] = spared.exists() and victim.poll() is None
victim.kill()
spared.unlink(missing_ok=True)
print(json.dumps(outcome))
