"""The file by which a data directory is known again: its random id, and which store it was in use with."""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance.domain.clock import Clock
from appliance.domain.errors import UnfitInstallation
from appliance.shared import files

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Home:
    """A data directory. `proven_store` is the last store that was found to be the one of the other nodes.

    `since_s` is when it was made, in unix seconds; 0 where that was before this was recorded.
    """

    path: Path
    id: str
    proven_store: str = ""
    since_s: float = 0.0

    def with_store(self, proven_store: str) -> "Home":
        """The same with another proven store, kept on the disk. Raises OSError."""
        changed = replace(self, proven_store=proven_store)
        _keep(changed)
        return changed


def home_at(path: Path, clock: Clock) -> Home:
    """The home that the file describes, made where there is none. Raises UnfitInstallation."""
    try:
        if path.exists():
            known = json.loads(path.read_bytes())
            return Home(path, str(known["id"]), str(known["proven_store"]), float(known.get("since_s", 0.0)))
        _keep(made := Home(path, secrets.token_hex(ID_BYTES), since_s=clock()))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise UnfitInstallation(f"{path} can't be used: {fault}. Remove it if the disk is fine.") from fault
    return made


def known_home_id(path: Path) -> str | None:
    """The id in the file; None where there is none. Raises UnfitInstallation."""
    try:
        return str(json.loads(path.read_bytes())["id"]) if path.exists() else None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise UnfitInstallation(f"{path} can't be used: {fault}. Remove it if the disk is fine.") from fault


def _keep(home: Home) -> None:
    known = {name: value for name, value in asdict(home).items() if name != "path"}
    files.write_whole(home.path, json.dumps(known).encode(), unfinished=home.path.with_name(f".{home.path.name}"))
