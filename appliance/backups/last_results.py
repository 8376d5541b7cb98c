"""The results of the last backup and the last verification, in a file that the server's metrics are read from."""

import json
from pathlib import Path

FILE_NAME = "state.json"


def record_results(folder: Path, **changed: object) -> None:
    """Record these results; the others stay as they are."""
    path = folder / FILE_NAME
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(read_results(folder) | changed))
    unfinished.rename(path)


def read_results(folder: Path) -> dict[str, object]:
    """Everything that was recorded; empty if there is no file, or if it can't be read."""
    try:
        found = json.loads((folder / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
