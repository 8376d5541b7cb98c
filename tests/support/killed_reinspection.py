"""`appliance reinspect --clean` that is killed with kill -9 right after a call; a test runs it as a process.

python -m tests.support.killed_reinspection land
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.catalogue.sql.images import ImageRows
from appliance.cli import main
from appliance.objectstore.observed import ObservedStore
from appliance.spool import Spool
from tests.support.programs import ROOT

POINTS: dict[str, type] = {
    "land": Spool,
    "revise": ImageRows,
    "put": ObservedStore,
    "put_bytes": ObservedStore,
    "mark_shipped": ImageRows,
}
"""The calls after which a cleaned original, its row, its object and its sidecar differ, in their order."""


async def kill_after(point: str, data_dir: Path, **environment: str) -> None:
    """Run it over a data directory, and see it killed; `environment` has further settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    ours = {
        "APPLIANCE_DATA_DIR": str(data_dir),
        "APPLIANCE_UPLOADS_RESERVE_BYTES": "1000000",
        "APPLIANCE_RENDITIONS_WORKERS": "1",
    }
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.killed_reinspection", point),
        cwd=ROOT,
        env=inherited | ours | environment,
    )
    assert await killed.wait() == -signal.SIGKILL


def dying_after(call: Callable[..., Any]) -> Callable[..., Any]:
    async def call_and_die(*arguments: Any, **more: Any) -> None:
        await call(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return call_and_die


if __name__ == "__main__":
    point = sys.argv[1]
    setattr(POINTS[point], point, dying_after(getattr(POINTS[point], point)))
    sys.exit(main(["reinspect", "--clean", "--restart"]))
