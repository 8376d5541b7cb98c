"""The results of the last backup and the last verification, in a file that the server's metrics are read from."""

import json
from dataclasses import replace
from pathlib import Path

from appliance.config.model import Config

FILE_NAME = "state.json"


def record_results(config: Config, **changed: object) -> None:
    """Record these results for this server, and for each of its processes; the others stay as they are."""
    for data_dir in (config.data_dir, *config.process_dirs):
        _record(replace(config, data_dir=data_dir).backups_dir, changed)


def _record(folder: Path, changed: dict[str, object]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
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
