"""`appliance reinspect --clean` that is killed with kill -9 right after a call; a test runs it as a process.

python -m tests.support.killed_reinspection land
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from appliance.catalogue.sqlite.images import ImageRows
from appliance.cli import main
from appliance.objectstore.observed import ObservedStore
from appliance.spool import Spool

POINTS: dict[str, type] = {
    "land": Spool,
    "revise": ImageRows,
    "put": ObservedStore,
    "put_bytes": ObservedStore,
    "mark_shipped": ImageRows,
}
"""The calls after which a cleaned original, its row, its object and its sidecar differ, in their order."""


def dying_after(call: Callable[..., Any]) -> Callable[..., Any]:
    async def call_and_die(*arguments: Any, **more: Any) -> None:
        await call(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return call_and_die


if __name__ == "__main__":
    point = sys.argv[1]
    setattr(POINTS[point], point, dying_after(getattr(POINTS[point], point)))
    sys.exit(main(["reinspect", "--clean", "--restart"]))
