"""What another number of processes has left: originals and unfinished uploads in the spools of those that run no more.

They are moved into the spool of a process that runs, which claims them when it starts. So nobody has to wait for the
store before the number of processes is changed.
"""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

from appliance.config.model import Config
from appliance.domain.errors import UnfitInstallation
from appliance.membership.home import known_home_id
from appliance.processes.share import folder_of
from appliance.resumable.inheritance import INHERITED, folder_for
from appliance.server.data_dir_lock import owned_folder
from appliance.shared import files

KEPT = ("landed", "orphans", "sidecars", "shipping")
"""The folders of a spool whose files exist nowhere else, or say how far a transfer is; the others can be made again.

Unfinished uploads are kept as well, in a folder of their own: their rows have yet to say who has them.
"""

log = logging.getLogger(__name__)


def take_over_leftovers(config: Config) -> None:
    """Move what the data directory's other spools have to the first process, or to the only one.

    Removes what they have in caches. The caller owns the data directory. Raises DataDirectoryLocked while one of those
    processes still runs, and UnfitInstallation where a file can't be moved.
    """
    several = config.server.processes > 1
    heir = folder_of(config, 1) if several else config.data_dir
    if several:
        _take_over(config, config.data_dir, heir)
    for folder in config.process_dirs:
        if not several or int(folder.name.removeprefix("node-")) > config.server.processes:
            with owned_folder(folder):
                _take_over(config, folder, heir)


def gather_spools(config: Config) -> None:
    """Move what the spools of all processes have to the data directory's own, for a command that works on that one.

    The next start moves it on. Raises as `take_over_leftovers` does.
    """
    take_over_leftovers(replace(config, server=replace(config.server, processes=1)))


def _take_over(config: Config, folder: Path, heir: Path) -> None:
    try:
        source, target = folder / "spool", heir / "spool"
        moved = sum(_move(source / name, target / name) for name in KEPT)
        moved += _move(
            source / "uploads", folder_for(target, known_home_id(replace(config, data_dir=folder).node_id_path))
        )
        for inherited in _folders(source / INHERITED):
            moved += _move(inherited, target / INHERITED / inherited.name)
        for name in ("spool", "cache"):
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
    except OSError as fault:
        raise UnfitInstallation(
            f"What {folder / 'spool'} has can't be moved to {heir / 'spool'}: {fault.strerror}. Both have to be on one "
            "filesystem, and belong to this user."
        ) from fault
    if moved:
        log.info("moved what was left in a spool", extra={"from": str(folder), "to": str(heir), "files": moved})


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _move(source: Path, target: Path) -> int:
    """Move every file of a folder, except for what the target has a newer file of, as of an original that was replaced.

    Where both are as old as each other, they are the same file, left by a crash in a move.
    """
    paths = list(source.iterdir()) if source.is_dir() else []
    if not paths:
        return 0
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    moving = [path for path in paths if not _is_newer(target / path.name, path)]
    for path in moving:
        path.rename(target / path.name)
    files.sync(target)
    return len(moving)


def _is_newer(path: Path, other: Path) -> bool:
    return path.exists() and path.stat().st_mtime_ns > other.stat().st_mtime_ns
