"""What the last backup and the last verification came to, in a file that the server's metrics are read from."""

import json
from pathlib import Path

NAME = "state.json"


def note(folder: Path, **changed: object) -> None:
    """Leave word; what is not given stays as it is."""
    path = folder / NAME
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(noted(folder) | changed))
    unfinished.rename(path)


def noted(folder: Path) -> dict[str, object]:
    """All that was left; nothing where there is no file, or one that can't be read."""
    try:
        found = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
