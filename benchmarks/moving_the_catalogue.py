"""How long does it take to move a catalogue of a million rows from its file to PostgreSQL, and back?

`python -m benchmarks.moving_the_catalogue [ROWS]`. The last pass is the time for which no server runs: a thousandth of
the rows changed since the first one, and as many are new. PostgreSQL runs on the same machine, with fsync.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.catalogue.opening import FILE_NAME
from appliance.catalogue.sqlite.connections import open_writer
from appliance.config.model import Config
from appliance.server.data_dir_lock import owned_data_dir
from benchmarks.harness import OURS, report
from benchmarks.inputs.catalogue_rows import load
from tests.support.postgres import new_schema, postgres_server

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
FROM_S = 1_790_000_000
CHANGED = 1000  # one row of so many, between the passes


@dataclass(frozen=True, slots=True)
class Pass:
    """How long a copy took, and the processor time of the command alone."""

    took_s: float
    cpu_s: float


def copied(data_dir: Path, to: str, url: str | None = None) -> Pass:
    """Run the command as people do."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    environment |= {"APPLIANCE_DATA_DIR": str(data_dir)} | ({"APPLIANCE_CATALOGUE_URL": url} if url else {})
    began, cpu_s = time.monotonic(), _cpu_of_ended_s()
    subprocess.run([OURS, "catalogue", "copy", "--to", to], env=environment, check=True, stdout=subprocess.DEVNULL)
    return Pass(time.monotonic() - began, _cpu_of_ended_s() - cpu_s)


def _cpu_of_ended_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def used_meanwhile(file: Path) -> None:
    """What a server would have changed since the first pass."""
    connection = open_writer(file)
    connection.execute("UPDATE images SET title = 'newer', version = version + 1 WHERE rowid % :n = 0", {"n": CHANGED})
    connection.close()
    load(file, ROWS, ROWS + ROWS // CHANGED, FROM_S)


def measured(folder: Path) -> list[tuple[str, ...]]:
    data_dir = folder / "host"
    data_dir.mkdir()
    load(data_dir / FILE_NAME, 0, ROWS, FROM_S)
    with postgres_server(folder, syncing=True) as server:
        url = new_schema(server)
        with owned_data_dir(Config(data_dir=data_dir)):
            first = copied(data_dir, url)
        used_meanwhile(data_dir / FILE_NAME)
        last = copied(data_dir, url)
        back = copied(data_dir, f"sqlite:{folder / 'back.sqlite'}", url)
    rows = [("to PostgreSQL, while a server runs", first), ("the last pass", last), ("back to a new file", back)]
    return [(what, f"{each.took_s:.1f}", f"{ROWS / each.took_s:,.0f}", f"{each.cpu_s:.1f}") for what, each in rows]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="appliance-moving-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's user is another one
        rows = measured(Path(folder))
    report(
        "moving_the_catalogue",
        f"How long does it take to move a catalogue of {ROWS:,} rows to PostgreSQL, and back? Every row is compared",
        ("what", "seconds", "rows a second", "processor seconds of the command"),
        rows,
    )


if __name__ == "__main__":
    main()
